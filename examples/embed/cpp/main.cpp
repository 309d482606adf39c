// Predictions of a deployed version for the rows of a CSV file: host STORE DEPLOYMENT FILE.csv
// Fields without quotes; an empty field and "?" are missing.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include <mlp/mlp.hpp>

static std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::stringstream in(line);
  for (std::string field; std::getline(in, field, ',');) {
    const auto from = field.find_first_not_of(' ');
    fields.push_back(from == std::string::npos ? "" : field.substr(from));
  }
  if (!line.empty() && line.back() == ',') fields.emplace_back();
  return fields;
}

static mlp::Field value_of(const std::string& text, const std::string& type) {
  if (text.empty() || text == "?") return std::nullopt;
  if (type.rfind("int", 0) == 0) return static_cast<std::int64_t>(std::atoll(text.c_str()));
  if (type.rfind("float", 0) == 0) return std::strtod(text.c_str(), nullptr);
  if (type.rfind("bool", 0) == 0) return text == "true";
  return text;
}

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: %s STORE DEPLOYMENT FILE.csv\n", argv[0]), 2;
  const auto scorer = mlp::Scorer::load(argv[1], argv[2], "production");
  if (!scorer) {
    std::cerr << scorer.error().message() << "\n";
    return scorer.error().status;
  }
  std::cout << scorer->model() << " version " << scorer->version() << " " << scorer->digest() << "\n";

  std::ifstream file(argv[3]);
  std::string line;
  std::getline(file, line);
  const auto header = split(line);
  const auto fields = scorer->fields();
  std::vector<std::size_t> at;
  for (const auto& field : fields) {
    std::size_t column = 0;
    while (column < header.size() && header[column] != field.name) ++column;
    if (column == header.size()) return std::cerr << "the file has no column " << field.name << "\n", 4;
    at.push_back(column);
  }
  while (std::getline(file, line)) {
    const auto texts = split(line);
    std::vector<mlp::Field> row;
    for (std::size_t i = 0; i < fields.size(); ++i) row.push_back(value_of(texts[at[i]], fields[i].type));
    const auto prediction = scorer->predict(row);
    if (!prediction) {
      std::cerr << prediction.error().message() << "\n";
      return prediction.error().status;
    }
    std::printf("%.17g\n", *prediction);
  }
}
