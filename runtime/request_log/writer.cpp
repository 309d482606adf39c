#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>

#include "compiler/support/check.h"
#include "runtime/request_log/segment.h"

namespace mlp::request_log {

namespace {

/// Rows are written together as long as they come: a request that finds the thread asleep need not wake it.
constexpr auto kGather = std::chrono::milliseconds(20);

std::uint64_t bytes_of(const Answered& answered) {
  std::uint64_t bytes = sizeof answered;
  for (const auto& record : answered.records) {
    bytes += sizeof record + record.size() * sizeof record[0];
    for (const auto& value : record)
      if (const auto* text = value ? std::get_if<std::string>(&*value) : nullptr) bytes += text->size();
  }
  return bytes;
}

}  // namespace

struct Writer::State {
  io::FileSystem& files;
  io::Clock& clock;
  const std::string directory;
  const Limits limits;
  const std::function<void(const std::string&)> complain;

  struct Queued {
    std::int64_t at_us = 0;
    Answered answered;
  };
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::vector<Queued> queue;
  std::uint64_t queued_rows = 0, queued_bytes = 0, added = 0, finished = 0;  ///< requests
  std::int64_t last_us = 0;
  Counts counts;
  bool stopping = false, flushing = false;
  std::thread thread;

  // Of the thread alone.
  SegmentName segment = {};
  std::string path = {};  ///< empty: the next rows begin a segment
  std::uint64_t segment_bytes = 0;
  std::shared_ptr<const Source> source = nullptr;  ///< that the segment named last
  std::uint32_t source_number = 0;
  std::int64_t synced_ns = 0;
  bool unsynced = false, failing = false;

  void run() {
    std::vector<Queued> taken;
    for (bool last = false; !last;) {
      {
        std::unique_lock lock(mutex);
        if (!unsynced) changed.wait(lock, [&] { return stopping || flushing || !queue.empty(); });
        changed.wait_for(lock, kGather, [&] { return stopping || flushing; });
        last = stopping;
        taken.swap(queue);
        queued_rows = queued_bytes = 0;
      }
      if (!taken.empty()) write(taken);
      bool flush;
      {
        const std::lock_guard lock(mutex);
        flush = flushing || last;
      }
      const std::int64_t now = clock.steady_ns();
      if (unsynced && (flush || now - synced_ns >= limits.sync_every_us * 1000)) sync(now);
      const std::lock_guard lock(mutex);
      finished += taken.size();
      taken.clear();
      if (finished == added) flushing = false;
      changed.notify_all();
    }
  }

  void write(const std::vector<Queued>& taken) {
    std::size_t begin = 0;
    while (begin < taken.size()) {
      std::string bytes;
      if (path.empty() || segment_bytes >= limits.segment_bytes) start_segment(taken[begin].at_us, bytes);
      std::uint64_t rows = 0;
      std::size_t end = begin;
      for (; end < taken.size() && segment_bytes + bytes.size() < limits.segment_bytes; ++end) {
        const Answered& answered = taken[end].answered;
        if (!source || (source != answered.source && *source != *answered.source)) append_source(bytes, *(source = answered.source), ++source_number);
        auto fault = answered.faults.data();
        const auto faults_end = fault + answered.faults.size();
        for (std::uint32_t record = 0; record < answered.records.size(); ++record) {
          const auto first = fault;
          while (fault != faults_end && fault->first == record) ++fault;
          append_row(bytes, source_number, taken[end].at_us, answered, record, {first, fault});
        }
        rows += answered.records.size();
      }
      const auto written = write_bytes(bytes);
      if (written) segment_bytes += bytes.size(), unsynced = true;
      // A segment that failed is not gone on with: its frames before are whole, and the next one names its source again.
      else path.clear();
      tell(written);
      const std::lock_guard lock(mutex);
      (written ? counts.written : counts.dropped) += rows;
      begin = end;
    }
  }

  void start_segment(std::int64_t at_us, std::string& bytes) {
    if (unsynced) sync(clock.steady_ns());
    segment.first_us = at_us;
    ++segment.number;
    path = directory + "/" + to_string(segment);
    segment_bytes = 0;
    source = nullptr;
    source_number = 0;
    bytes = encode_head();
  }

  Result<void> write_bytes(std::string_view bytes) {
    if (segment_bytes == 0) {
      MLP_TRY_VOID(files.make_folders(directory));
      // What clients send is for the owner of the store alone.
      std::error_code ignored;
      std::filesystem::permissions(directory, std::filesystem::perms::owner_all, ignored);
    }
    return files.append(path, bytes);
  }

  void sync(std::int64_t now) {
    tell(files.sync(path));
    synced_ns = now;
    unsynced = false;
  }

  void tell(const Result<void>& done) {
    if (done.has_value() != failing) return;
    failing = !failing;
    if (complain) complain(failing ? fmt::format("requests are not recorded: {}", done.error().message) : "requests are recorded again");
  }
};

Writer::Writer(io::FileSystem& files, io::Clock& clock, std::string directory, Limits limits, std::function<void(const std::string&)> complain)
    : state_(new State{.files = files, .clock = clock, .directory = std::move(directory), .limits = limits, .complain = std::move(complain),
                       .mutex = {}, .changed = {}, .queue = {}, .queued_rows = 0, .queued_bytes = 0, .added = 0, .finished = 0, .last_us = 0, .counts = {},
                       .stopping = false, .flushing = false, .thread = {}}) {
  // Process and time: segments of one name would have to be of two servers that began in one microsecond with one number.
  state_->segment.writer = fmt::format("{:x}.{:x}", ::getpid(), clock.now_ns() / 1000);
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Writer::~Writer() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

void Writer::add(Answered answered) {
  const std::uint64_t rows = answered.records.size();
  if (rows == 0) return;
  MLP_CHECK(answered.source);
  const std::uint64_t bytes = bytes_of(answered);
  const std::lock_guard lock(state_->mutex);
  if (state_->queued_rows + rows > state_->limits.queued_rows || state_->queued_bytes + bytes > state_->limits.queued_bytes) {
    state_->counts.dropped += rows;
    return;
  }
  // Rows of a segment are in the order of time even where the clock is set back.
  state_->last_us = std::max(state_->last_us, state_->clock.now_ns() / 1000);
  const bool was_empty = state_->queue.empty();
  state_->queued_rows += rows;
  state_->queued_bytes += bytes;
  ++state_->added;
  state_->queue.push_back({state_->last_us, std::move(answered)});
  if (was_empty) state_->changed.notify_all();
}

void Writer::flush() {
  std::unique_lock lock(state_->mutex);
  state_->flushing = true;
  const std::uint64_t until = state_->added;
  state_->changed.notify_all();
  state_->changed.wait(lock, [&] { return state_->finished >= until && !state_->flushing; });
}

Counts Writer::counts() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counts;
}

}  // namespace mlp::request_log
