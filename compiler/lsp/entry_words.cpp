#include "compiler/lsp/entry_words.h"

#include <map>
#include <span>

#include "compiler/sema/block_spec.h"

namespace mlp::lsp {

namespace {

std::vector<WordDoc> of(std::span<const sema::FieldSpec> fields) {
  std::vector<WordDoc> out;
  for (const sema::FieldSpec& field : fields) out.push_back({field.name, field.doc});
  return out;
}

using Blocks = std::map<std::string_view, std::vector<WordDoc>>;

Blocks make_blocks() {
  return {
      {"train", of(sema::kTrainFields)},
      {"evaluate", of(sema::kEvaluateFields)},
      {"deploy", of(sema::kDeployFields)},
      {"serve", of(sema::kServeOptions)},
      {"monitor",
       {{"every", "how often it looks"},
        {"over", "which rows it looks at: `over last 7d`"},
        {"drift", "whether columns or predictions still look like the reference"},
        {"quality", "what has to hold of the rows as they came"},
        {"performance", "whether predictions are still right, once labels are there"},
        {"alert", "where alerts go"}}},
      {"data",
       {{"expect", "what has to hold of the table, checked when it is read"},
        {"reject", "sets rows that break the contract aside, up to a share"},
        {"rest", "takes all other columns with the types of mlp.lock"}}},
      {"feature", {{"each", "a feature of every column of a type"}, {"publish", "keeps the aggregates for requests"}}},
      {"test", {{"given", "values of the table's columns"}, {"expect", "what has to come out"}}},
      {"explore", {{"by", "the column that is compared"}}},
      {"env", {{"data", "another source for a table"}, {"param", "another default for a param"}}},
      {"schedule", {{"retrain", "runs the training of a model"}, {"batch", "scores the batch of a deployment"}, {"materialize", "refreshes a published view"}}},
      {"file",
       {{"workflow", "the name of the workflow"},
        {"import", "takes declarations of another file"},
        {"param", "a value that `--param` can set"},
        {"secret", "a value that is never shown"},
        {"env", "what differs in one environment"},
        {"fn", "a function of row values"},
        {"data", "a table: from a source, or made of other tables"},
        {"feature", "a view: what a model may read"},
        {"split", "which rows are for training, validation and test"},
        {"train", "a model, and what it learns"},
        {"evaluate", "what is measured, and what has to be reached"},
        {"deploy", "where a proven model goes"},
        {"monitor", "what is watched in production"},
        {"explore", "a report about a table"},
        {"test", "a row that has to give known features"},
        {"schedule", "when something is done again"},
        {"transform", "a fitted function of your own"},
        {"model", "a kind of model of your own"},
        {"metric", "a metric of your own"}}},
      {"stage",
       {{"where", "keeps rows for which the condition is true"},
        {"join", "takes columns of another table"},
        {"asof", "joins the latest row before a time"},
        {"dedupe", "keeps one row of each key"},
        {"derive", "adds computed columns"},
        {"group", "one row a group"},
        {"window", "columns over neighbouring rows"},
        {"select", "chooses and renames columns"},
        {"union", "appends the rows of other tables"},
        {"sort", "orders the rows"},
        {"limit", "keeps the first rows"},
        {"sample", "keeps a share of the rows"},
        {"unpivot", "columns into rows"},
        {"fill", "adds the rows of missing times"},
        {"cross", "each row with each number of a range"},
        {"sql", "a query over the rows so far"},
        {"python", "a function of your own over the table"}}},
      {"split",
       {{"random", "rows by a hash of the key and the seed: `random 70/15/15`"},
        {"time", "earlier rows for training, later ones for test"},
        {"group", "groups stay together: `group by user 70/15/15`"},
        {"fold", "cross-validation: `fold 5`"},
        {"rolling", "several origins in time: `rolling 8 every 7d horizon 28d`"}}},
      {"tag",
       {{"key", "names the row"},
        {"time", "when the row happened"},
        {"label", "what is predicted"},
        {"pii", "personal: no feature"},
        {"protected", "may be sliced by, is no feature"},
        {"weight", "how much the row counts"},
        {"ignore", "no feature and no field of a request"},
        {"available", "when the value is known: `@available(after 30d)`"}}},
      {"type",
       {{"bool", "true or false"},
        {"int", "whole numbers of 64 bits"},
        {"float", "real numbers"},
        {"string", "text"},
        {"date", "a day"},
        {"timestamp", "a moment"},
        {"duration", "a length of time"},
        {"category", "one of some values"}}},
      {"action", {{"alert", "tells the targets of `alert`"}, {"retrain", "trains anew"}, {"rollback", "takes the version before"}, {"stop", "answers no more"}}},
  };
}

}  // namespace

const std::vector<WordDoc>& entry_words(std::string_view block) {
  static const Blocks blocks = make_blocks();
  static const std::vector<WordDoc> none;
  const auto at = blocks.find(block);
  return at == blocks.end() ? none : at->second;
}

std::string_view entry_word_doc(std::string_view block, std::string_view word) {
  for (const WordDoc& each : entry_words(block))
    if (each.word == word) return each.doc;
  return {};
}

}  // namespace mlp::lsp
