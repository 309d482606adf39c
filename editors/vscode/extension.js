// Starts `mlpc lsp` and leaves everything else to it.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function start() {
  const command = vscode.workspace.getConfiguration("mlpc").get("path") || "mlpc";
  const server = { command, args: ["lsp"] };
  const env = vscode.workspace.getConfiguration("mlpc").get("env") || "";
  client = new LanguageClient("mlpc", "mlpc", server, { documentSelector: [{ language: "mlp" }], initializationOptions: { env } });
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    vscode.window.showErrorMessage(`mlpc could not be started (${command}): set mlpc.path to where it is. ${error.message}`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running) await running.stop();
}

async function activate(context) {
  const again = async () => {
    await stop();
    await start();
  };
  context.subscriptions.push(
    vscode.commands.registerCommand("mlp.restart", again),
    vscode.workspace.onDidChangeConfiguration((change) => (change.affectsConfiguration("mlpc.path") || change.affectsConfiguration("mlpc.env") ? again() : undefined)),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
