// Tokenises lines as VS Code does: argv are the grammar and a file; prints [[[text, scopes…], …], …], one list a line.
"use strict";
const fs = require("fs");
const path = require("path");
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

async function main() {
  const [grammarFile, file] = process.argv.slice(2);
  await oniguruma.loadWASM(fs.readFileSync(path.join(path.dirname(require.resolve("vscode-oniguruma")), "onig.wasm")).buffer);
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({ createOnigScanner: (p) => new oniguruma.OnigScanner(p), createOnigString: (s) => new oniguruma.OnigString(s) }),
    loadGrammar: async () => textmate.parseRawGrammar(fs.readFileSync(grammarFile, "utf8"), grammarFile),
  });
  const grammar = await registry.loadGrammar("source.mlp");
  let state = textmate.INITIAL;
  const lines = fs.readFileSync(file, "utf8").split("\n").map((line) => {
    const done = grammar.tokenizeLine(line, state);
    state = done.ruleStack;
    return done.tokens.map((token) => [line.slice(token.startIndex, token.endIndex), ...token.scopes.slice(1)]);
  });
  console.log(JSON.stringify(lines));
}
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
