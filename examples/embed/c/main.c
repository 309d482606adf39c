/* Predictions of a deployed version for the rows of a CSV file: host STORE DEPLOYMENT FILE.csv
 * Fields without quotes; an empty field and "?" are missing. */
#include <mlp/mlp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FIELDS = 256, MOST_BYTES = 65536 };

static int fail(mlp_status status, mlp_error* error) {
  fprintf(stderr, "%s: %s\n", mlp_error_code(error, 0), mlp_error_message(error, 0));
  mlp_error_free(error);
  return status;
}

/* Cuts the line at its commas, in place. */
static size_t split(char* line, char** fields) {
  size_t count = 0;
  char* at = line;
  line[strcspn(line, "\r\n")] = 0;
  while (count < MOST_FIELDS) {
    char* comma = strchr(at, ',');
    if (comma) *comma = 0;
    fields[count++] = at + strspn(at, " ");
    if (!comma) break;
    at = comma + 1;
  }
  return count;
}

static mlp_value value_of(const char* text, const char* type) {
  mlp_value value;
  memset(&value, 0, sizeof value);
  if (!*text || strcmp(text, "?") == 0) return value;
  if (strncmp(type, "int", 3) == 0) {
    value.kind = MLP_INT;
    value.of.integer = atoll(text);
  } else if (strncmp(type, "float", 5) == 0) {
    value.kind = MLP_FLOAT;
    value.of.number = strtod(text, NULL);
  } else if (strncmp(type, "bool", 4) == 0) {
    value.kind = MLP_BOOL;
    value.of.boolean = strcmp(text, "true") == 0;
  } else {
    value.kind = MLP_TEXT;
    value.of.text.data = text;
    value.of.text.size = strlen(text);
  }
  return value;
}

int main(int argc, char** argv) {
  static char line[MOST_BYTES], *header[MOST_FIELDS], *texts[MOST_FIELDS];
  static char header_line[MOST_BYTES];
  size_t at[MOST_FIELDS], fields, columns, i, c;
  mlp_scorer* scorer = NULL;
  mlp_error* error = NULL;
  mlp_status status;
  FILE* file;
  if (argc != 4) return fprintf(stderr, "usage: %s STORE DEPLOYMENT FILE.csv\n", argv[0]), 2;
  status = mlp_scorer_load(argv[1], argv[2], "production", &scorer, &error);
  if (status != MLP_OK) return fail(status, error);
  printf("%s version %u %s\n", mlp_scorer_model(scorer), mlp_scorer_version(scorer), mlp_scorer_digest(scorer));
  file = fopen(argv[3], "r");
  if (!file || !fgets(header_line, sizeof header_line, file)) return fprintf(stderr, "cannot read %s\n", argv[3]), 5;
  columns = split(header_line, header);
  fields = mlp_scorer_field_count(scorer);
  if (fields > MOST_FIELDS) return 5;
  for (i = 0; i < fields; ++i) {
    for (c = 0; c < columns && strcmp(header[c], mlp_scorer_field_name(scorer, i)) != 0; ++c) {}
    if (c == columns) return fprintf(stderr, "the file has no column %s\n", mlp_scorer_field_name(scorer, i)), 4;
    at[i] = c;
  }
  while (fgets(line, sizeof line, file)) {
    mlp_value row[MOST_FIELDS];
    double prediction;
    const size_t count = split(line, texts);
    for (i = 0; i < fields; ++i) row[i] = value_of(at[i] < count ? texts[at[i]] : "", mlp_scorer_field_type(scorer, i));
    status = mlp_predict(scorer, row, 1, &prediction, &error);
    if (status != MLP_OK) return fail(status, error);
    printf("%.17g\n", prediction);
  }
  fclose(file);
  mlp_scorer_free(scorer);
  return 0;
}
