#ifndef MLP_MLP_H
#define MLP_MLP_H

/* The C interface of mlpc: load a deployed scorer and ask it; check and run a workflow.
 *
 * Ownership: what a function gives through `out` or `error` belongs to the caller and is freed with its own _free function;
 * strings belong to the object that gave them and live as long as it does. Freeing NULL does nothing.
 * Errors: every function that can fail gives MLP_OK or a status; `error` may be NULL where the reason is not wanted, and is set only
 * on failure. A NULL where none is allowed is MLP_ARGUMENT. Nothing is thrown.
 * Threads: a scorer may be asked by any number of threads at once; other objects belong to one thread at a time.
 * Texts are UTF-8. Strings end in NUL; texts of values have a length instead. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when a function or a struct changes its meaning; functions may be added without it. */
#define MLP_ABI_VERSION 1
uint32_t mlp_abi_version(void);

typedef enum mlp_status {
  MLP_OK = 0,
  MLP_WORKFLOW = 1,    /* the workflow is wrong */
  MLP_ARGUMENT = 2,    /* the call is wrong */
  MLP_REFUSED = 3,     /* a gate failed, or something is refused */
  MLP_DATA = 4,        /* a value breaks its contract */
  MLP_ENVIRONMENT = 5, /* a file, the store, a library */
  MLP_BUG = 70
} mlp_status;

/* ---- errors: one or more diagnostics ---------------------------------------------------------------------------------- */
typedef struct mlp_error mlp_error;
size_t mlp_error_count(const mlp_error* error);
/* Of diagnostic i: code ("E0801"), message, help ("" if none), file ("" if none), line and column from 1 (0 if none). */
const char* mlp_error_code(const mlp_error* error, size_t i);
const char* mlp_error_message(const mlp_error* error, size_t i);
const char* mlp_error_help(const mlp_error* error, size_t i);
const char* mlp_error_file(const mlp_error* error, size_t i);
uint32_t mlp_error_line(const mlp_error* error, size_t i);
uint32_t mlp_error_column(const mlp_error* error, size_t i);
void mlp_error_free(mlp_error* error);

/* ---- scorers --------------------------------------------------------------------------------------------------------- */
typedef struct mlp_scorer mlp_scorer;
/* The version that stands in a deployment ("income_api" or "income.income_api") of the store (a folder: .mlp beside the workflow).
 * `stage`: "production"; NULL for any. The expressions are compiled for this machine. */
mlp_status mlp_scorer_load(const char* store, const char* deployment, const char* stage, mlp_scorer** out, mlp_error** error);
void mlp_scorer_free(mlp_scorer* scorer);
const char* mlp_scorer_model(const mlp_scorer* scorer);      /* "income.earner" */
const char* mlp_scorer_stage(const mlp_scorer* scorer);
uint32_t mlp_scorer_version(const mlp_scorer* scorer);
const char* mlp_scorer_digest(const mlp_scorer* scorer);     /* 64 hexadecimal digits: what computes, whoever asks it */
size_t mlp_scorer_field_count(const mlp_scorer* scorer);     /* raw columns of a row, in the order in which values are given */
const char* mlp_scorer_field_name(const mlp_scorer* scorer, size_t i);
const char* mlp_scorer_field_type(const mlp_scorer* scorer, size_t i); /* as the language writes it: "int", "category?" */
int mlp_scorer_field_may_be_missing(const mlp_scorer* scorer, size_t i);

typedef enum mlp_kind { MLP_MISSING = 0, MLP_BOOL = 1, MLP_INT = 2, MLP_FLOAT = 3, MLP_TEXT = 4 } mlp_kind;
typedef struct mlp_text {
  const char* data;
  size_t size; /* bytes */
} mlp_text;
/* Dates, times and durations are texts in the format of their column. */
typedef struct mlp_value {
  mlp_kind kind;
  union {
    int boolean; /* 0 or 1 */
    int64_t integer;
    double number;
    mlp_text text;
  } of;
} mlp_value;

/* Predictions of `rows` rows: values[row * field_count + field]. Writes `rows` doubles: the probability of true, or the value; NaN
 * where a number that the model needs is infinite or undefined. A value that breaks the contract of its field is MLP_DATA, and
 * nothing is written. */
mlp_status mlp_predict(const mlp_scorer* scorer, const mlp_value* values, size_t rows, double* predictions, mlp_error** error);

/* One column: `data` are int (MLP_BOOL), int64_t, double or mlp_text, by `kind`; known[row] is 0 where missing, NULL: all known. */
typedef struct mlp_column {
  mlp_kind kind;
  const void* data;
  const uint8_t* known;
} mlp_column;
/* The same for columns in the order of the fields. */
mlp_status mlp_predict_columns(const mlp_scorer* scorer, const mlp_column* columns, size_t rows, double* predictions, mlp_error** error);

/* ---- workflows ------------------------------------------------------------------------------------------------------- */
typedef struct mlp_workflow mlp_workflow;
/* Every static error of the file is in `error`. */
mlp_status mlp_workflow_compile(const char* file, mlp_workflow** out, mlp_error** error);
const char* mlp_workflow_name(const mlp_workflow* workflow);
void mlp_workflow_free(mlp_workflow* workflow);

typedef struct mlp_report mlp_report;
/* Told of each step that ended: its name, how many have, and of how many. From any thread, one call at a time. */
typedef void (*mlp_progress)(const char* step, size_t done, size_t of, void* context);
/* Runs it into the store (NULL: .mlp beside the file); what is there is reused. A failed step is an error; what was finished is kept.
 * Failed gates are no error: the report tells. `progress` may be NULL. */
mlp_status mlp_workflow_run(const mlp_workflow* workflow, const char* store, mlp_progress progress, void* context, mlp_report** out, mlp_error** error);
const char* mlp_report_run(const mlp_report* report); /* its id */
size_t mlp_report_steps_ran(const mlp_report* report);
size_t mlp_report_steps_reused(const mlp_report* report);
size_t mlp_report_metric_count(const mlp_report* report);
const char* mlp_report_metric_model(const mlp_report* report, size_t i);
const char* mlp_report_metric_name(const mlp_report* report, size_t i);
double mlp_report_metric_value(const mlp_report* report, size_t i); /* NaN where it is not defined */
size_t mlp_report_gate_count(const mlp_report* report);
const char* mlp_report_gate_model(const mlp_report* report, size_t i);
const char* mlp_report_gate_text(const mlp_report* report, size_t i);
const char* mlp_report_gate_status(const mlp_report* report, size_t i); /* passed, failed, inconclusive, not_applicable */
size_t mlp_report_candidate_count(const mlp_report* report);
const char* mlp_report_candidate_model(const mlp_report* report, size_t i);
uint32_t mlp_report_candidate_version(const mlp_report* report, size_t i);
int mlp_report_candidate_proven(const mlp_report* report, size_t i);
void mlp_report_free(mlp_report* report);

#ifdef __cplusplus
}
#endif
#endif
