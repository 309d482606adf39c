// One declaration at a time, out of the tokens that compiler/syntax/tokens.cpp prepares: SEP stands between the entries of a
// block and END after a declaration; SET_OPEN is the parenthesis after `in`, ALL_COLUMNS a `*` that stands for columns,
// TUNE_RANGE a `tune` after a colon. All decisions need at most two tokens. README.md says which rule becomes which AST struct.
parser grammar MlpParser;
options { tokenVocab = MlpLexer; }

declaration
  : ( dataDecl
    | ( workflowDecl | importDecl | paramDecl | secretDecl | envDecl | callableDecl | modelDecl | featureDecl | splitDecl | trainDecl
      | evaluateDecl | deployDecl | monitorDecl | exploreDecl | testDecl | scheduleDecl
      ) because?
    ) END ;

loneExpression : expr END ;

because : K_BECAUSE STRING ;

workflowDecl : K_WORKFLOW name ;
importDecl   : K_IMPORT STRING K_AS name ;
paramDecl    : K_PARAM name COLON type (R_IN range)? ASSIGN expr ;
secretDecl   : K_SECRET name ASSIGN expr ;
envDecl      : K_ENV name LBRACE (envEntry (SEP envEntry)*)? RBRACE ;
envEntry     : K_DATA name K_FROM sourceRef | K_PARAM name (COLON type (R_IN range)?)? ASSIGN expr ;

// ---- functions and the library ----

callableDecl
  : (K_FN | K_TRANSFORM | K_METRIC | K_DRIFT | K_SOURCE | K_SINK | K_AGGREGATE) name operatorClause? parameters callableClause*
    (ARROW type (R_IN range)? callableClause*)? (ASSIGN expr)? ;
parameters   : LPAREN (parameter (COMMA parameter)*)? RPAREN ;
parameter    : name COLON types (R_IN range)? (ASSIGN expr)? ;
operatorClause : K_OPERATOR STRING ;
callableClause
  : operatorClause
  | K_KNOWN K_WHEN expr
  | K_ROW
  | K_RANDOM
  | K_INTERPRETED K_BECAUSE STRING
  | K_FITS LBRACE (fitField (listSep fitField)*)? RBRACE
  | K_CROSS_FIT INT
  | K_BETTER (K_HIGHER | K_LOWER)
  | K_OF (K_DECISION | K_WINDOW)
  | K_DECLASSIFIES
  ;
fitField     : name COLON type ;
modelDecl
  : K_MODEL name K_PREDICTS types K_TAKES type (COMMA type)* modelClause* (ASSIGN expr)? LBRACE (parameter (listSep parameter)*)? RBRACE
    (ASSIGN expr)? ;
modelClause  : K_BINNED | K_PREPARES LBRACE (preparation (SEP preparation)*)? RBRACE ;
preparation  : type K_AS expr (COMMA expr)* ;
listSep      : COMMA | SEP ;

types        : type (BAR type)* ;
type         : name (LPAREN typeArguments RPAREN)? QUESTION? ;
typeArguments : STRING ((COMMA STRING)+ | (LESS STRING)+)? | INT | type (COMMA type)* ;

// ---- data ----

// The reason after a pipeline is that of its last stage.
dataDecl     : K_DATA name (K_FROM sourceRef dataBlock? because? | ASSIGN path because? stage*) ;
sourceRef    : call (K_VERSION K_BY path)? ;
dataBlock    : LBRACE (dataEntry (SEP dataEntry)*)? RBRACE ;
dataEntry    : (column | expectEntry | rejectEntry | restEntry) because? ;
column       : names COLON type columnClause* (ASSIGN expr tag*)? ;
columnClause
  : K_AS STRING
  | R_IN (set | range)
  | K_MATCHES STRING
  | K_UNIQUE
  | K_VALUES LPAREN STRING (COMMA STRING)* RPAREN
  | K_FORMAT STRING
  | tag
  ;
tag          : AT name (LPAREN tagArgument RPAREN)? ;
tagArgument  : K_AT path | K_AFTER span | DURATION K_BEFORE | word (K_BEFORE | COLON expr)? ;
expectEntry  : K_EXPECT expr (K_FOR K_ALL K_ROWS)? (R_ELSE K_WARN)? ;
rejectEntry  : K_REJECT K_UP word operand K_INTO STRING ;
restEntry    : K_REST K_FROM K_LOCK ;

stage
  : BAR ( whereStage | joinStage | asofStage | dedupeStage | deriveStage | groupStage | windowStage | selectStage | unionStage
        | sortStage | limitStage | sampleStage | unpivotStage | fillStage | crossStage | sqlStage | pythonStage
        ) because? ;
whereStage   : K_WHERE expr ;
joinStage    : K_JOIN (K_ONE | K_LEFT)* safePath K_ON expr ;
asofStage    : K_ASOF K_JOIN path K_BY paths K_AT path ;
dedupeStage  : K_DEDUPE K_BY paths (K_KEEP name path)? ;
deriveStage  : K_DERIVE definition (COMMA definition)* ;
groupStage   : K_GROUP (K_BY paths)? definitions ;
windowStage  : K_WINDOW (K_BY paths)? (word K_BY orderItems)? definitions ;
definitions  : LBRACE (definition (listSep definition)*)? RBRACE ;
definition   : name ASSIGN expr tag* ;
selectStage  : K_SELECT (allColumns | selectItem) (COMMA selectItem)* ;
allColumns   : ALL_COLUMNS (K_EXCEPT LPAREN names RPAREN)? ;
selectItem   : expr (K_AS name)? tag* ;
unionStage   : K_UNION paths ;
sortStage    : K_SORT K_BY orderItems ;
orderItems   : orderItem (COMMA orderItem)* ;
orderItem    : path (K_ASC | K_DESC)? ;
limitStage   : K_LIMIT operand ;
sampleStage  : K_SAMPLE operand (K_SEED operand)? ;
unpivotStage : K_UNPIVOT paths K_AS name COMMA name ;
fillStage    : K_FILL K_BY paths K_EVERY span (K_UNTIL span K_AHEAD)? (K_WITH namedValue (COMMA namedValue)*)? ;
crossStage   : K_CROSS K_RANGE LPAREN expr RPAREN K_AS name ;
sqlStage     : K_SQL LPAREN STRING RPAREN ;
pythonStage  : K_PYTHON LPAREN STRING RPAREN ARROW dataBlock ;

// ---- feature, split ----

featureDecl  : K_FEATURE name K_OF path (K_AT path)? LBRACE (featureEntry (SEP featureEntry)*)? RBRACE ;
featureEntry : (takenColumns | definition | eachColumn | publishEntry) because? ;
takenColumns : (allColumns | name) (COMMA name)* ;
eachColumn   : K_EACH type K_AS STRING ASSIGN expr ;
publishEntry : K_PUBLISH word (K_LIVE | (K_REFRESH span)? (K_EXPIRE span)?) ;

splitDecl    : K_SPLIT name K_OF path splitForm ;
splitForm
  : K_RANDOM parts splitOption*
  | K_TIME parts splitOption*
  | K_GROUP K_BY path parts splitOption*
  | K_FOLD INT (K_TIME | K_GROUP K_BY path)? splitOption*
  | K_ROLLING INT splitOption*
  ;
parts        : number (SLASH number)* ;
splitOption
  : K_STRATIFIED path
  | K_BY paths
  | K_SEED operand
  | K_GAP span
  | K_EVERY span
  | K_HORIZON span
  ;

// ---- train ----

trainDecl    : K_TRAIN name K_OF path (PLUS path)* LBRACE (trainEntry (SEP trainEntry)*)? RBRACE ;
trainEntry
  : ( predictEntry | rankEntry | splitEntry | modelEntry | tuneEntry | earlyStopEntry | calibrateEntry | decideEntry | refitEntry
    | perEntry | seedEntry | trainWhere | weightsEntry | sampleEntry
    ) because? ;
predictEntry : K_PREDICT expr (ASSIGN expr)? (K_BACK name)? (K_QUANTILES LPAREN expr (COMMA expr)* RPAREN)? (K_RANK K_BY path)? ;
rankEntry    : K_RANK K_BY path ;
splitEntry   : K_SPLIT (splitForm | path) ;
modelEntry   : K_MODEL path arguments? (LBRACE (modelParameter (listSep modelParameter)*)? RBRACE)? ;
modelParameter : name (COLON (TUNE_RANGE range K_LOG? | expr) | operand) ;
objective    : (K_MAXIMIZE | K_MINIMIZE) metricItem ;
tuneEntry    : K_TUNE objective tuneOption* ;
tuneOption   : K_TRIALS operand | K_STRATEGY name | K_EARLY_STOP INT? ;
earlyStopEntry : K_EARLY_STOP INT? ;
calibrateEntry : K_CALIBRATE name ;
decideEntry  : K_DECIDE K_WHEN name (LESS | LESS_EQUAL | GREATER | GREATER_EQUAL) (K_TUNE objective | expr) ;
refitEntry   : K_REFIT name (PLUS name)* ;
perEntry     : K_PER path (K_AT_LEAST operand K_ROWS)? (R_ELSE K_GLOBAL)? ;
seedEntry    : K_SEED expr ;
trainWhere   : K_WHERE expr ;
weightsEntry : K_WEIGHTS path ;
sampleEntry  : K_SAMPLE (literal | path) (number | path) K_CORRECTED? ;

// ---- evaluate ----

evaluateDecl : K_EVALUATE path LBRACE (evaluateEntry (SEP evaluateEntry)*)? RBRACE ;
evaluateEntry : (metricsEntry | sliceEntry | explainEntry | resampleEntry | gateEntry) because? ;
metricsEntry : K_METRICS metricItem (COMMA metricItem)* ;
metricItem   : operand (K_BY path)? ;
sliceEntry   : K_SLICE K_BY sliceItem (COMMA sliceItem)* (K_AT_LEAST operand (K_ROWS | K_POSITIVES))? ;
sliceItem    : path (STAR path)* ;
explainEntry : K_EXPLAIN K_TOP operand ;
resampleEntry : K_RESAMPLE K_BY path ;
gateEntry    : K_REQUIRE metricItem infixTail* (K_BEATS K_PRODUCTION K_BY operand)? (K_WITH operand)? ;

// ---- deploy, monitor, schedule ----

deployDecl   : K_DEPLOY name K_OF path LBRACE (deployEntry (SEP deployEntry)*)? RBRACE ;
deployEntry  : (stageEntry | serveEntry | canaryEntry | batchEntry) because? ;
stageEntry   : K_STAGE name (K_REQUIRES stageNeed ((COMMA | R_AND) stageNeed)*)? ;
stageNeed    : K_APPROVAL (K_FROM STRING)? (K_PER name)? (K_VALID span)? | K_FINAL ;
serveEntry   : K_SERVE serveOption+ ;
serveOption  : word (literal | path) ;
canaryEntry  : K_CANARY operand K_FOR span (K_AT_LEAST operand K_REQUESTS)? (K_REQUIRE expr)? ;
batchEntry   : K_BATCH path K_INTO call (K_KEY paths)? ;

monitorDecl  : K_MONITOR path LBRACE (monitorEntry (SEP monitorEntry)*)? RBRACE ;
monitorEntry : (rhythmEntry | driftEntry | qualityEntry | performanceEntry | alertEntry) because? ;
rhythmEntry  : (K_EVERY span overLast? | overLast) (K_AT_LEAST operand K_ROWS)? ;
overLast     : K_OVER K_LAST span ;
driftEntry   : K_DRIFT expr K_ON paths (K_AGAINST K_SAME span span K_AGO)? actions ;
qualityEntry : K_QUALITY expr actions ;
performanceEntry : K_PERFORMANCE expr K_LABELS path arguments? K_KEY paths K_WITHIN span (K_ABSENT K_MEANS expr)? actions ;
alertEntry   : K_ALERT call (COMMA call)* ;
actions      : ARROW action+ ;
action       : (K_ALERT | K_RETRAIN | K_ROLLBACK | K_STOP) (K_COOLDOWN span)? ;

exploreDecl  : K_EXPLORE path (LBRACE (exploreEntry (SEP exploreEntry)*)? RBRACE)? ;
exploreEntry : K_BY paths ;
testDecl     : K_TEST STRING K_OF path LBRACE (testEntry (SEP testEntry)*)? RBRACE ;
testEntry    : K_GIVEN path? LBRACE (namedValue (listSep namedValue)*)? RBRACE | K_EXPECT expr ;
scheduleDecl
  : K_SCHEDULE (K_EVERY span | word (COMMA word)*) TIME_OF_DAY? STRING? (K_AFTER path (K_FRESH span)?)?
    LBRACE (job (SEP job)*)? RBRACE ;
job          : word path ;

// ---- expressions: operators stand in a row here; compiler/syntax/build_expr.cpp binds them by precedence ----

expr         : R_IF expr R_THEN expr R_ELSE expr | operand infixTail* ;
infixTail    : infixOp operand | R_NOT? R_IN (set | operand) | R_IS (K_KNOWN | R_MISSING) ;
infixOp
  : R_OR | R_AND | EQUAL | NOT_EQUAL | LESS | LESS_EQUAL | GREATER | GREATER_EQUAL | COALESCE | RANGE | PLUS | MINUS | STAR | SLASH
  | CARET ;
operand      : (MINUS | R_NOT)* primary (K_AT (word (number | path) | number))? ;
primary      : literal | path (arguments window?)? | LPAREN expr RPAREN | list ;
literal      : number | DURATION | STRING | R_TRUE | R_FALSE | R_MISSING ;
number       : INT | FLOAT | PERCENT ;
set          : SET_OPEN expr (COMMA expr)* RPAREN ;
list         : LBRACKET (expr (COMMA expr)*)? RBRACKET ;
range        : operand RANGE operand ;
call         : path arguments ;
arguments    : LPAREN (argument (COMMA argument)* (K_BY paths)? (K_WHERE expr)?)? RPAREN ;
argument     : expr (COLON expr)? ;
window       : K_OVER K_NEXT? (DURATION | safePath) (K_ENDING span K_AGO)? ;
span         : DURATION | path ;
namedValue   : name COLON expr ;

// ---- names: every word save the reserved; `word` leaves out the few that some place needs for itself ----

paths        : path (COMMA path)* ;
path         : name (DOT name)* ;
safePath     : word (DOT name)* ;
names        : name (COMMA name)* ;
name         : word | K_BECAUSE | K_EVERY | K_LEFT | K_NEXT | K_ONE | K_AT | K_AFTER ;
word
  : WORD | QUOTED_NAME
  | K_WORKFLOW | K_IMPORT | K_PARAM | K_SECRET | K_ENV | K_FN | K_TRANSFORM | K_MODEL | K_METRIC | K_DRIFT | K_SOURCE | K_SINK | K_AGGREGATE
  | K_DATA
  | K_FEATURE | K_SPLIT | K_TRAIN | K_EVALUATE | K_DEPLOY | K_MONITOR | K_EXPLORE | K_TEST | K_SCHEDULE
  | K_ABSENT | K_AGAINST | K_AGO | K_AHEAD | K_ALERT | K_ALL | K_APPROVAL | K_AS | K_ASC | K_ASOF | K_AT_LEAST | K_BACK | K_BATCH
  | K_BEATS | K_BEFORE | K_BETTER | K_BINNED | K_BY | K_CALIBRATE | K_CANARY | K_COOLDOWN | K_CORRECTED | K_CROSS | K_CROSS_FIT
  | K_DECIDE | K_DECISION | K_DECLASSIFIES | K_DEDUPE | K_DERIVE | K_DESC | K_EACH | K_EARLY_STOP | K_ENDING | K_EXCEPT | K_EXPECT | K_EXPIRE | K_EXPLAIN
  | K_FILL | K_FINAL | K_FITS | K_FOLD | K_FOR | K_FORMAT | K_FRESH | K_FROM | K_GAP | K_GIVEN | K_GLOBAL | K_GROUP | K_HIGHER
  | K_HORIZON | K_INTERPRETED | K_INTO | K_JOIN | K_KEEP | K_KEY | K_KNOWN | K_LABELS | K_LAST | K_LIMIT | K_LIVE | K_LOCK | K_LOG
  | K_LOWER | K_MATCHES | K_MAXIMIZE | K_MEANS | K_METRICS | K_MINIMIZE | K_OF | K_ON | K_OPERATOR | K_OVER | K_PER | K_PERFORMANCE
  | K_POSITIVES | K_PREDICT | K_PREDICTS | K_PREPARES | K_PRODUCTION | K_PUBLISH | K_PYTHON | K_QUALITY | K_QUANTILES | K_RANDOM
  | K_RANGE | K_RANK | K_REFIT | K_REFRESH | K_REJECT | K_REQUESTS | K_REQUIRE | K_REQUIRES | K_RESAMPLE | K_REST | K_RETRAIN
  | K_ROLLBACK | K_ROLLING | K_ROW | K_ROWS | K_SAME | K_SAMPLE | K_SEED | K_SELECT | K_SERVE | K_SLICE | K_SORT | K_SQL | K_STAGE
  | K_STOP | K_STRATEGY | K_STRATIFIED | K_TAKES | K_TIME | K_TOP | K_TRIALS | K_TUNE | K_UNION | K_UNIQUE | K_UNPIVOT | K_UNTIL | K_UP
  | K_VALID | K_VALUES | K_VERSION | K_WARN | K_WEIGHTS | K_WHEN | K_WHERE | K_WINDOW | K_WITH | K_WITHIN
  ;
