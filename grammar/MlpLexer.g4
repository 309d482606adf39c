// Words, numbers, texts and signs. Words are told apart by compiler/syntax/tokens.cpp, not here: a rule per keyword would make
// the automaton of this lexer large and its first use slow. A token K_X is the word x where the grammar may give it a meaning,
// R_X a reserved word.
lexer grammar MlpLexer;

tokens {
  // made by the token filter
  SEP, END, ALL_COLUMNS, SET_OPEN, TUNE_RANGE, BAD,
  // reserved
  R_AND, R_OR, R_NOT, R_IN, R_IS, R_IF, R_THEN, R_ELSE, R_TRUE, R_FALSE, R_MISSING,
  // begin a declaration
  K_WORKFLOW, K_IMPORT, K_PARAM, K_SECRET, K_ENV, K_FN, K_TRANSFORM, K_MODEL, K_METRIC, K_DRIFT, K_SOURCE, K_SINK, K_AGGREGATE,
  K_DATA, K_FEATURE, K_SPLIT, K_TRAIN, K_EVALUATE, K_DEPLOY, K_MONITOR, K_EXPLORE, K_TEST, K_SCHEDULE,
  // inside of them
  K_ABSENT, K_AFTER, K_AGAINST, K_AGO, K_AHEAD, K_ALERT, K_ALL, K_APPROVAL, K_AS, K_ASC, K_ASOF, K_AT, K_AT_LEAST, K_BACK, K_BATCH,
  K_BEATS, K_BECAUSE, K_BEFORE, K_BETTER, K_BINNED, K_BY, K_CALIBRATE, K_CANARY, K_COOLDOWN, K_CORRECTED, K_CROSS, K_CROSS_FIT, K_DECIDE,
  K_DECISION, K_DECLASSIFIES, K_DEDUPE, K_DERIVE, K_DESC, K_EACH, K_EARLY_STOP, K_ENDING, K_EVERY, K_EXCEPT, K_EXPECT, K_EXPIRE, K_EXPLAIN, K_FILL,
  K_FINAL, K_FITS, K_FOLD, K_FOR, K_FORMAT, K_FRESH, K_FROM, K_GAP, K_GIVEN, K_GLOBAL, K_GROUP, K_HIGHER, K_HORIZON, K_INTERPRETED,
  K_INTO, K_JOIN, K_KEEP, K_KEY, K_KNOWN, K_LABELS, K_LAST, K_LEFT, K_LIMIT, K_LIVE, K_LOCK, K_LOG, K_LOWER, K_MATCHES, K_MAXIMIZE,
  K_MEANS, K_METRICS, K_MINIMIZE, K_NEXT, K_OF, K_ON, K_ONE, K_OPERATOR, K_OVER, K_PER, K_PERFORMANCE, K_POSITIVES, K_PREDICT,
  K_PREDICTS, K_PREPARES, K_PRODUCTION, K_PUBLISH, K_PYTHON, K_QUALITY, K_QUANTILES, K_RANDOM, K_RANGE, K_RANK, K_REFIT, K_REFRESH,
  K_REJECT, K_REQUESTS, K_REQUIRE, K_REQUIRES, K_RESAMPLE, K_REST, K_RETRAIN, K_ROLLBACK, K_ROLLING, K_ROW, K_ROWS, K_SAME, K_SAMPLE,
  K_SEED, K_SELECT, K_SERVE, K_SLICE, K_SORT, K_SQL, K_STAGE, K_STOP, K_STRATEGY, K_STRATIFIED, K_TAKES, K_TIME, K_TOP, K_TRIALS,
  K_TUNE, K_UNION, K_UNIQUE, K_UNPIVOT, K_UNTIL, K_UP, K_VALID, K_VALUES, K_VERSION, K_WARN, K_WEIGHTS, K_WHEN, K_WHERE, K_WINDOW,
  K_WITH, K_WITHIN
}

DOC         : '##' ~[\r\n]* ;
COMMENT     : '#' ~[\r\n]* -> skip ;
NEWLINE     : '\r'? '\n' ;
BLANK       : [ \t\f\r]+ -> skip ;

INT         : DIGITS ;
FLOAT       : DIGITS '.' DIGITS EXPONENT? | DIGITS EXPONENT ;
PERCENT     : DIGITS ('.' DIGITS)? '%' ;
DURATION    : DIGITS ('.' DIGITS)? ('ms' | 's' | 'min' | 'h' | 'd' | 'w' | 'y') ;
TIME_OF_DAY : [0-9] [0-9] ':' [0-9] [0-9] ;
BAD_NUMBER  : DIGITS ('.' DIGITS)? [A-Za-z_] [A-Za-z0-9_]* | DIGITS '.' DIGITS ('.' DIGITS)+ ;
fragment DIGITS   : [0-9] ('_'? [0-9])* ;
fragment EXPONENT : [eE] [+-]? [0-9]+ ;

TRIPLE      : 'r'? '"""' .*? '"""' ;
STRING      : '"' ('\\' ~[\r\n] | ~["\\\r\n])* '"' ;
RAW         : 'r"' ~["\r\n]* '"' ;
UNCLOSED_TRIPLE : 'r'? '"""' (~'"' | '"' ~'"' | '""' ~'"')* ;
UNCLOSED    : 'r'? '"' ('\\' ~[\r\n] | ~["\\\r\n])* '\\'? ;

QUOTED_NAME : '`' ~[`\r\n]+ '`' ;
UNCLOSED_NAME : '`' ~[`\r\n]* ;
WORD        : LETTER (LETTER | [0-9])* ;
fragment LETTER : [A-Za-z_\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u024F\u0370-\u1FFF\u3040-\uD7FF] ;

COALESCE : '??' ;
QUESTION : '?' ;
EQUAL    : '==' ;
NOT_EQUAL : '!=' ;
LESS_EQUAL : '<=' ;
GREATER_EQUAL : '>=' ;
LESS     : '<' ;
GREATER  : '>' ;
ASSIGN   : '=' ;
RANGE    : '..' ;
DOT      : '.' ;
ARROW    : '->' ;
PLUS     : '+' ;
MINUS    : '-' ;
STAR     : '*' ;
SLASH    : '/' ;
CARET    : '^' ;
BAR      : '|' ;
AT       : '@' ;
COLON    : ':' ;
COMMA    : ',' ;
SEMICOLON : ';' ;
LPAREN   : '(' ;
RPAREN   : ')' ;
LBRACKET : '[' ;
RBRACKET : ']' ;
LBRACE   : '{' ;
RBRACE   : '}' ;

// A run, so that one mistake such as && gives one message.
STRANGE  : [%&!~$\\]+ | '\'' ~[\r\n']* '\''? | . ;
