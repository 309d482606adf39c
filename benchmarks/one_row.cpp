// Seconds of single raw rows in process, through mlp.hpp: one_row STORE DEPLOYMENT ROWS.tsv; fields in the order of the scorer,
// "?" for missing. Prints nanoseconds, one a line.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <mlp/mlp.hpp>

int main(int, char** argv) {
  const auto scorer = mlp::Scorer::load(argv[1], argv[2]);
  if (!scorer) return std::fprintf(stderr, "%s\n", scorer.error().message().c_str()), 1;
  const auto fields = scorer->fields();
  std::vector<std::vector<std::string>> rows;
  std::ifstream file(argv[3]);
  for (std::string line; std::getline(file, line);) {
    std::stringstream in(line);
    auto& row = rows.emplace_back();
    for (std::string text; std::getline(in, text, '\t');) row.push_back(text);
  }
  for (int turn = 0; turn < 4; ++turn)
    for (const auto& texts : rows) {
      std::vector<mlp::Field> row;
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if (texts[i] == "?") row.emplace_back();
        else if (fields[i].type.rfind("int", 0) == 0) row.emplace_back(static_cast<std::int64_t>(std::atoll(texts[i].c_str())));
        else if (fields[i].type.rfind("float", 0) == 0) row.emplace_back(std::strtod(texts[i].c_str(), nullptr));
        else row.emplace_back(texts[i]);
      }
      const auto began = std::chrono::steady_clock::now();
      const auto prediction = scorer->predict(row);
      const auto ended = std::chrono::steady_clock::now();
      if (!prediction) return std::fprintf(stderr, "%s\n", prediction.error().message().c_str()), 1;
      if (turn) std::printf("%lld\n", static_cast<long long>(std::chrono::duration_cast<std::chrono::nanoseconds>(ended - began).count()));
    }
}
