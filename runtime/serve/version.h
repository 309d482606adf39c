#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/io/json_records.h"
#include "runtime/registry/registry.h"
#include "runtime/request_log/request_log.h"
#include "runtime/scorer/records.h"
#include "runtime/scorer/scorer.h"
#include "runtime/serve/application.h"

/// Of this room only.
namespace mlp::serve {

/// Readers keep their memory from request to request; each is used by one at a time.
class ReaderPool {
 public:
  ReaderPool(std::vector<std::pair<std::string, std::uint32_t>> names, std::size_t positions) : names_(std::move(names)), positions_(positions) {}
  std::unique_ptr<io::JsonRecordReader> take();
  void give_back(std::unique_ptr<io::JsonRecordReader> reader);

 private:
  std::vector<std::pair<std::string, std::uint32_t>> names_;
  std::size_t positions_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<io::JsonRecordReader>> free_;
};

struct Version {
  registry::Deployed deployed;
  std::shared_ptr<const scorer::LoadedScorer> scorer;
  std::shared_ptr<const request_log::Source> source;
  std::vector<std::string_view> names;  ///< of the fields
  std::string openapi, metadata;        ///< documents; the metadata is that of the model in the protocol
  std::unique_ptr<ReaderPool> readers;
};

/// OpenAPI 3.1 of the requests that the version takes.
std::string describe_openapi(const scorer::Schema& schema, const registry::Deployed& deployed, std::size_t most_rows);
/// Metadata of the model, as the Open Inference Protocol has them.
std::string describe_model(const scorer::Schema& schema, const registry::Deployed& deployed);
/// {"error":…}: `faults` say where, with what was expected.
std::string describe_error(const std::string& message, const scorer::Schema* schema = nullptr, std::span<const scorer::Fault> faults = {});
/// A JSON string, quotes included.
std::string quoted(std::string_view text);
/// The datatype of the protocol for a field's type.
std::string_view datatype(const Type& type);

/// What is answered where the request is not: with the message and status.
Response refuse(unsigned status, const std::string& message);
/// `Response` of 422 for values that break the contract.
Response refuse(const scorer::Schema& schema, std::span<const scorer::Fault> faults);

}  // namespace mlp::serve
