#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "runtime/batch/forms.h"
#include "runtime/io/json_records.h"
#include "runtime/scorer/records.h"

namespace mlp::batch {

namespace {

constexpr std::size_t kBlockBytes = 1 << 20;

/// Whole lines of the file.
struct Lines {
  std::string text;
  std::uint64_t first_line = 1, first_row = 0;
};

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

/// The lines of a text, without their ends.
template <class Each>
void for_lines(std::string_view text, Each each) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    each(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

/// Gives the file block by block; a line is in one of them.
struct BlockReader {
  io::File& file;
  std::uint64_t at = 0, line = 1, row = 0;
  std::string rest = {};
  bool at_end = false;

  Result<std::optional<Lines>> next() {
    Lines block{std::move(rest), line, row};
    rest.clear();
    while (!at_end) {
      const std::size_t had = block.text.size();
      block.text.resize(had + kBlockBytes);
      MLP_TRY(const std::size_t got, file.read_at(at, {block.text.data() + had, kBlockBytes}));
      at += got;
      block.text.resize(had + got);
      at_end = got < kBlockBytes;
      const std::size_t end = block.text.rfind('\n');
      if (at_end || end == std::string::npos) continue;
      rest = block.text.substr(end + 1);
      block.text.resize(end + 1);
      break;
    }
    if (block.text.empty()) return std::optional<Lines>();
    for_lines(block.text, [&](std::string_view text) {
      ++line;
      row += !is_blank(text);
    });
    return std::optional(std::move(block));
  }
};

}  // namespace

Result<void> read_json_lines(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input, const TakeKeys& take_keys,
                             const BlockWork& work) {
  const scorer::Schema& schema = scorer::schema(scorer);
  MLP_TRY(const std::unique_ptr<io::File> file, files.open(input));
  MLP_TRY(const io::FileStamp before, file->stamp());
  const std::size_t width = schema.request.size();
  // A column of the key that is also asked for has one place, that of the request.
  std::vector<std::size_t> key_at;
  std::vector<std::string> key_names;
  const auto names = field_names(schema);
  for (const plan::RawField& key : schema.key) {
    const auto at = std::ranges::find(names, key.read.source_name, &std::pair<std::string, std::uint32_t>::first);
    key_at.push_back(at->second);
    key_names.push_back(key.read.source_name);
  }
  bool keys_taken = false;

  const auto read_lines = [&](const Lines& block) -> Result<RowBlock> {
    io::JsonRecordReader reader(names, width + schema.key.size());
    RowBlock out;
    std::vector<scorer::Record> records;
    const auto keys = std::make_shared<std::vector<std::vector<Value>>>();
    std::vector<std::uint64_t> lines;
    std::vector<std::uint32_t> unreadable;
    scorer::Record record;
    std::uint64_t line = block.first_line;
    std::vector<std::tuple<std::uint32_t, std::string, std::string, std::string>> bad;
    for_lines(block.text, [&](std::string_view text) {
      const std::uint64_t here = line++;
      if (is_blank(text)) return;
      const auto row = static_cast<std::uint32_t>(records.size());
      lines.push_back(here);
      std::vector<Value>& key = keys->emplace_back();
      if (auto fault = reader.read(text, record)) {
        unreadable.push_back(row);
        bad.emplace_back(row, std::move(fault->field), std::move(fault->value), std::move(fault->reason));
        record.assign(width + schema.key.size(), std::nullopt);
      }
      for (const std::size_t at : key_at) key.push_back(record[at].value_or(Value()));
      record.resize(width);
      records.push_back(std::move(record));
      record = {};
    });
    scorer::RecordBatch batch = scorer::to_columns(scorer, records);
    for (const scorer::Fault& fault : batch.faults)
      if (!std::ranges::binary_search(unreadable, fault.record)) bad.emplace_back(fault.record, schema.request[fault.field].name, fault.value, fault.reason);
    std::ranges::stable_sort(bad, {}, [](const auto& entry) { return std::get<0>(entry); });
    for (auto& [row, column, value, reason] : bad) out.bad.add({input, lines[row], std::move(column), std::move(value), std::move(reason)});
    std::ranges::set_union(unreadable, batch.bad, std::back_inserter(out.bad_rows));
    out.request = std::move(batch.columns);
    out.rows = batch.rows;
    out.first_row = block.first_row;
    out.key = [keys](std::size_t key, std::size_t row) { return (*keys)[row][key]; };
    return out;
  };

  BlockReader reader{*file};
  for (bool more = true; more;) {
    std::vector<Lines> blocks;
    while (blocks.size() < kBlocksAtOnce) {
      MLP_TRY(auto block, reader.next());
      if (!block) {
        more = false;
        break;
      }
      blocks.push_back(std::move(*block));
    }
    if (!keys_taken && !blocks.empty()) {
      // The first object tells whether this is such a file, and whether it has the key.
      std::optional<std::string_view> first;
      for_lines(blocks[0].text, [&](std::string_view text) {
        if (!first && !is_blank(text)) first = text;
      });
      io::JsonRecordReader peek(names, width + schema.key.size());
      scorer::Record record;
      const auto fault = first ? peek.read(*first, record) : std::nullopt;
      if (fault && !fault->is_object)
        return failure(diag::Code::E0804, fmt::format("`{}` has no JSON object in its first line: {}", input, fault->reason), "write one object a line, {\"age\": 46, …}");
      if (!first || !std::ranges::all_of(key_at, [&](std::size_t at) { return record[at].has_value(); })) key_names.clear(), key_at.clear();
      take_keys(key_names);
      keys_taken = true;
    }
    MLP_TRY_VOID(work_on(blocks.size(), [&](std::size_t i) { return read_lines(blocks[i]); }, work));
  }
  if (!keys_taken) take_keys({});
  MLP_TRY(const io::FileStamp after, file->stamp());
  if (after != before) return failure(diag::Code::E0805, fmt::format("`{}` changed while it was read", input), "run again when nothing writes to it");
  return {};
}

}  // namespace mlp::batch
