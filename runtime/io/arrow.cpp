#include "runtime/io/arrow.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "runtime/column/parallel.h"
#include "runtime/io/arrow_file.h"
#include "runtime/io/arrow_values.h"
#include "runtime/io/source_state.h"

namespace mlp::io {

namespace {

constexpr std::uint64_t kHashedAtOnce = std::uint64_t{1} << 22;

/// Of each file of the table what was read to find its rows.
struct Indices {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<arrow::Index>> by_path;
};

std::shared_ptr<Indices> indices_of(const Source& source) {
  const std::lock_guard lock(source.state->mutex);
  if (!source.state->database) source.state->database = std::make_shared<Indices>();
  return std::static_pointer_cast<Indices>(source.state->database);
}

/// The index of an open file that is as it was when its rows were found.
Result<std::shared_ptr<arrow::Index>> index_of(const Source& source, File& file, const FileScan& scan) {
  MLP_TRY(const FileStamp stamp, file.stamp());
  if (stamp != scan.stamp) return source_changed(scan.path);
  const auto indices = indices_of(source);
  const std::lock_guard lock(indices->mutex);
  auto& index = indices->by_path[scan.path];
  if (!index || index->stamp != stamp) {
    MLP_TRY(index, arrow::read_index(file, scan.path));
  }
  return index;
}

/// Digests of messages: pieces of all of them are hashed side by side.
Result<std::vector<Digest>> hash_messages(File& file, const std::string& path, const std::vector<arrow::Place>& places) {
  struct Piece {
    std::uint64_t offset, size;
  };
  std::vector<Piece> pieces;
  std::vector<std::size_t> ends;
  for (const arrow::Place& place : places) {
    const std::uint64_t end = place.body + place.body_size;
    for (std::uint64_t at = place.metadata; at < end; at += kHashedAtOnce) pieces.push_back({at, std::min(kHashedAtOnce, end - at)});
    ends.push_back(pieces.size());
  }
  std::vector<Digest> digests(pieces.size());
  std::vector<std::optional<diag::Diagnostic>> failures(pieces.size());
  parallel_for(pieces.size(), [&](std::size_t i) {
    const auto bytes = arrow::bytes_at(file, path, pieces[i].offset, pieces[i].size);
    if (bytes) digests[i] = Hasher("piece/1").add(*bytes).finish();
    else failures[i] = bytes.error();
  });
  for (auto& failed : failures)
    if (failed) return failure(std::move(*failed));
  std::vector<Digest> out;
  for (std::size_t i = 0, at = 0; i < places.size(); ++i) {
    Hasher whole("arrow message/1");
    for (; at < ends[i]; ++at) whole.add(digests[at]);
    out.push_back(whole.finish());
  }
  return out;
}

/// Cuts the rows into fragments: batches together up to so many rows, a long one by itself and, if it is not compressed, into parts.
void cut_rows(const arrow::Index& index, std::uint64_t fragment_rows, FileScan& scan) {
  const auto close = [&](std::uint64_t end) {
    if (end == scan.rows) return;
    Fragment& fragment = scan.fragments.emplace_back();
    fragment.begin = fragment.first_row = scan.rows;
    fragment.end = end;
    fragment.rows = end - scan.rows;
    fragment.first_line = fragment.begin + 1;
    scan.rows = end;
  };
  for (const arrow::PlacedBatch& batch : index.batches) {
    const std::uint64_t end = batch.first_row + batch.rows;
    if (end - scan.rows > fragment_rows) close(batch.first_row);
    if (!batch.compressed)
      while (end - scan.rows > fragment_rows) close(scan.rows + fragment_rows);
    if (end - scan.rows >= fragment_rows) close(end);
  }
  close(index.rows);
}

/// What the rows of each fragment are made of: the columns, the dictionaries, the messages in which they stand, and where in those.
Result<void> hash_fragments(File& file, const arrow::Index& index, FileScan& scan) {
  std::vector<arrow::Place> places;
  for (const arrow::PlacedBatch& batch : index.batches) places.push_back(batch.place);
  const std::size_t batches = places.size();
  for (const auto& [id, parts] : index.dictionaries) places.insert(places.end(), parts.begin(), parts.end());
  MLP_TRY(const std::vector<Digest> digests, hash_messages(file, scan.path, places));
  Hasher common("arrow/1");
  common.add(arrow::digest_of(index.schema));
  for (std::size_t i = batches; i < digests.size(); ++i) common.add(digests[i]);
  const Digest shared = common.finish();
  Hasher whole("arrow file/1");
  whole.add(shared);
  std::size_t first = 0;
  for (Fragment& fragment : scan.fragments) {
    while (index.batches[first].first_row + index.batches[first].rows <= fragment.begin) ++first;
    Hasher hasher("arrow fragment/1");
    hasher.add(shared).add(fragment.begin - index.batches[first].first_row).add(fragment.rows);
    for (std::size_t b = first; b < batches && index.batches[b].first_row < fragment.end; ++b) hasher.add(digests[b]);
    fragment.content = hasher.finish();
    whole.add(fragment.content);
  }
  scan.content = whole.finish();
  return {};
}

}  // namespace

Result<FileScan> look_at_arrow(const Source& source, const std::string& path) {
  FileScan scan;
  scan.path = path;
  MLP_TRY(const std::unique_ptr<File> file, source.files->open(path));
  MLP_TRY(const std::shared_ptr<arrow::Index> index, arrow::read_index(*file, path));
  scan.stamp = index->stamp;
  for (const arrow::Field& field : index->schema.fields) scan.header.push_back(field.name);
  cut_rows(*index, source.options.fragment_rows, scan);
  if (source.hashes) MLP_TRY_VOID(hash_fragments(*file, *index, scan));
  MLP_TRY(const FileStamp after, file->stamp());
  if (after != scan.stamp) return source_changed(path);
  const auto indices = indices_of(source);
  const std::lock_guard lock(indices->mutex);
  indices->by_path[path] = index;
  return scan;
}

Result<std::vector<Type>> types_of_arrow(const Source& source, const FileScan& scan) {
  MLP_TRY(const std::unique_ptr<File> file, source.files->open(scan.path));
  MLP_TRY(const std::shared_ptr<arrow::Index> index, index_of(source, *file, scan));
  std::vector<Type> types;
  for (const arrow::Field& field : index->schema.fields) {
    switch (arrow::kind_of(field.type)) {
      case ValueKind::none: types.push_back(Type::error()); break;
      case ValueKind::truth: types.push_back(Type::of(Base::bool_)); break;
      case ValueKind::whole:
      case ValueKind::large: types.push_back(Type::of(Base::int_)); break;
      case ValueKind::real: types.push_back(Type::of(Base::float_)); break;
      case ValueKind::decimal: types.push_back(Type::of(field.type.scale == 0 ? Base::int_ : Base::float_)); break;
      case ValueKind::nothing:
      case ValueKind::text: types.push_back(Type::of(Base::string)); break;
      case ValueKind::day: types.push_back(Type::of(Base::date)); break;
      case ValueKind::moment: types.push_back(Type::of(Base::timestamp)); break;
      case ValueKind::duration: types.push_back(Type::of(Base::duration)); break;
    }
  }
  return types;
}

Result<ReadOutcome> read_arrow(const Source& source, const FileScan& scan, const Fragment& fragment, std::span<const plan::ReadColumn> columns) {
  MLP_TRY(const std::vector<FieldReader> fields, make_field_readers(columns, source.options));
  MLP_TRY(const std::vector<std::uint32_t> positions, bind_columns(source, scan, columns));
  MLP_TRY(const std::unique_ptr<File> file, source.files->open(scan.path));
  MLP_TRY(const std::shared_ptr<arrow::Index> index, index_of(source, *file, scan));
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (arrow::kind_of(index->schema.fields[positions[c]].type) == ValueKind::none) return no_single_values(scan.path, columns[c]);

  std::vector<ContractColumn> readers;
  for (const FieldReader& field : fields) readers.emplace_back(field, fragment.rows, source.most_shown);
  auto batch = std::ranges::upper_bound(index->batches, fragment.begin, {}, [](const arrow::PlacedBatch& b) { return b.first_row + b.rows; });
  for (; !columns.empty() && batch != index->batches.end() && batch->first_row < fragment.end; ++batch) {
    MLP_TRY(const arrow::Batch parts, arrow::batch_at(*file, scan.path, batch->place, index->schema.fields));
    const std::uint64_t from = std::max(fragment.begin, batch->first_row) - batch->first_row, to = std::min(fragment.end - batch->first_row, batch->rows);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const arrow::Field& field = index->schema.fields[positions[c]];
      MLP_TRY(arrow::Values values, arrow::values_at(*file, scan.path, *batch, parts, positions[c], field.stored(), from, to - from));
      const ValueKind kind = arrow::kind_of(field.type);
      const Base base = columns[c].type.base;
      if (!fits(kind, columns[c])) {
        if (values.any_known()) return other_kind(scan.path, columns[c], kind);
        values.type.kind = arrow::Kind::nothing;
        add_values(readers[c], base, values);
      } else if (field.dictionary) {
        MLP_TRY(const auto dictionary, arrow::dictionary_of(*index, *file, scan.path, field, *batch));
        MLP_TRY_VOID(arrow::add_values(readers[c], base, values, *dictionary, scan.path));
      } else {
        add_values(readers[c], base, values);
      }
    }
  }
  MLP_TRY(const FileStamp after, file->stamp());
  if (after != scan.stamp || (!readers.empty() && readers[0].rows() != fragment.rows)) return source_changed(scan.path);
  return collect(readers, {}, scan.path, fragment, source.most_shown, [&](std::uint32_t row) { return fragment.begin + row + 1; });
}

}  // namespace mlp::io
