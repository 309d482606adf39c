// Whether SARIF logs fit the published schema: argv are the schema and the logs; prints the errors of each as one JSON document.
"use strict";
const fs = require("fs");
const Ajv = require("ajv");
const [schema, ...logs] = process.argv.slice(2);
const ajv = new Ajv({ schemaId: "auto", allErrors: true, unknownFormats: "ignore" });
ajv.addMetaSchema(require("ajv/lib/refs/json-schema-draft-04.json"));
const valid = ajv.compile(JSON.parse(fs.readFileSync(schema, "utf8")));
console.log(JSON.stringify(logs.map((log) => (valid(JSON.parse(fs.readFileSync(log, "utf8"))) ? [] : valid.errors))));
