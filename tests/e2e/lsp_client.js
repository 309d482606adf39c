// What an editor does with `mlpc lsp`, through the client library of VS Code: argv are mlpc and a workflow; prints one JSON document.
"use strict";
const { spawn } = require("child_process");
const fs = require("fs");
const lsp = require("vscode-languageserver-protocol/node");

async function main() {
  const [mlpc, file] = process.argv.slice(2);
  const text = fs.readFileSync(file, "utf8"), uri = "file:///workflow.mlp";
  const server = spawn(mlpc, ["lsp", "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => server.on("exit", resolve));
  const connection = lsp.createProtocolConnection(new lsp.StreamMessageReader(server.stdout), new lsp.StreamMessageWriter(server.stdin));
  const published = [];
  let waiting;
  connection.onNotification(lsp.PublishDiagnosticsNotification.type, (params) => (waiting ? (waiting(params), (waiting = undefined)) : published.push(params)));
  const diagnostics = () => (published.length ? Promise.resolve(published.shift()) : new Promise((resolve) => (waiting = resolve)));
  connection.listen();

  const out = {};
  out.initialize = await connection.sendRequest(lsp.InitializeRequest.type, {
    processId: process.pid, rootUri: null, workspaceFolders: null,
    capabilities: {
      general: { positionEncodings: ["utf-16"] },
      workspace: { workspaceEdit: { documentChanges: true } },
      textDocument: {
        publishDiagnostics: { relatedInformation: true }, hover: { contentFormat: ["markdown"] },
        codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ["quickfix"] } } },
      },
    },
  });
  await connection.sendNotification(lsp.InitializedNotification.type, {});
  await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, { textDocument: { uri, languageId: "mlp", version: 1, text } });
  out.good = await diagnostics();
  const place = (needle) => {
    const at = text.indexOf(needle), before = text.slice(0, at);
    return { line: before.split("\n").length - 1, character: at - (before.lastIndexOf("\n") + 1) };
  };
  const textDocument = { uri };
  out.hover = await connection.sendRequest(lsp.HoverRequest.type, { textDocument, position: place("log_spent") });
  out.definition = await connection.sendRequest(lsp.DefinitionRequest.type, { textDocument, position: place("spent)") });
  out.completion = await connection.sendRequest(lsp.CompletionRequest.type, { textDocument, position: place("spent)") });
  out.formatting = await connection.sendRequest(lsp.DocumentFormattingRequest.type, { textDocument, options: { tabSize: 4, insertSpaces: true } });
  const start = place("spent)");
  await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version: 2 }, contentChanges: [{ range: { start, end: { ...start, character: start.character + 5 } }, text: "spend" }],
  });
  out.bad = await diagnostics();
  out.actions = await connection.sendRequest(lsp.CodeActionRequest.type, { textDocument, range: out.bad.diagnostics[0].range, context: { diagnostics: out.bad.diagnostics } });
  out.unknown = await connection.sendRequest(lsp.RenameRequest.type, { textDocument, position: start, newName: "x" }).catch((error) => error.code);
  await connection.sendNotification(lsp.DidCloseTextDocumentNotification.type, { textDocument });
  out.closed = await diagnostics();
  await connection.sendRequest(lsp.ShutdownRequest.type);
  await connection.sendNotification(lsp.ExitNotification.type);
  out.exit = await ended;
  console.log(JSON.stringify(out));
  process.exit(0);
}
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
