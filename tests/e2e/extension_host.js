// Runs the extension with a host of a few lines in place of VS Code; prints what it did.
"use strict";
const Module = require("module");
const [extension, configured] = process.argv.slice(2);
const did = { started: [], stopped: 0, errors: [], commands: {} };
let changed;
class LanguageClient {
  constructor(id, name, server, options) {
    Object.assign(this, { server, options });
  }
  async start() {
    if (this.server.command === "/missing/mlpc") throw new Error("ENOENT");
    did.started.push({ server: this.server, selector: this.options.documentSelector, initialization: this.options.initializationOptions });
  }
  async stop() {
    did.stopped += 1;
  }
}
const host = {
  workspace: {
    getConfiguration: (section) => ({ get: (key) => (section !== "mlpc" ? undefined : key === "path" ? configured : key === "env" ? "prod" : undefined) }),
    onDidChangeConfiguration: (listener) => ((changed = listener), { dispose() {} }),
  },
  commands: { registerCommand: (name, run) => ((did.commands[name] = run), { dispose() {} }) },
  window: { showErrorMessage: (text) => did.errors.push(text) },
};
const load = Module._load;
Module._load = (name, ...rest) => (name === "vscode" ? host : name === "vscode-languageclient/node" ? { LanguageClient } : load(name, ...rest));
(async () => {
  const { activate, deactivate } = require(extension);
  await activate({ subscriptions: [] });
  await did.commands["mlp.restart"]();
  await changed({ affectsConfiguration: (name) => name === "mlpc.path" });
  await changed({ affectsConfiguration: (name) => name === "mlpc.env" });
  await changed({ affectsConfiguration: () => false });
  await deactivate();
  console.log(JSON.stringify({ ...did, commands: Object.keys(did.commands) }));
})();
