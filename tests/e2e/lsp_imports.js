// A workflow that imports another file, through the client library of VS Code: argv are mlpc, both files and the env; prints one JSON document.
"use strict";
const { spawn } = require("child_process");
const fs = require("fs");
const { pathToFileURL } = require("url");
const lsp = require("vscode-languageserver-protocol/node");

async function main() {
  const [mlpc, user, shared, env] = process.argv.slice(2);
  const text = fs.readFileSync(user, "utf8"), other = fs.readFileSync(shared, "utf8");
  const uri = pathToFileURL(user).href, otherUri = pathToFileURL(shared).href;
  const server = spawn(mlpc, ["lsp", "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => server.on("exit", resolve));
  const connection = lsp.createProtocolConnection(new lsp.StreamMessageReader(server.stdout), new lsp.StreamMessageWriter(server.stdin));
  const published = [];
  let waiting;
  connection.onNotification(lsp.PublishDiagnosticsNotification.type, (params) => {
    if (params.uri !== uri) return;
    if (waiting) waiting(params), (waiting = undefined);
    else published.push(params);
  });
  const diagnostics = () => (published.length ? Promise.resolve(published.shift()) : new Promise((resolve) => (waiting = resolve)));
  connection.listen();

  const out = {};
  await connection.sendRequest(lsp.InitializeRequest.type, {
    processId: process.pid, rootUri: null, workspaceFolders: null, initializationOptions: { env },
    capabilities: { textDocument: { publishDiagnostics: { relatedInformation: true }, hover: { contentFormat: ["markdown"] } } },
  });
  await connection.sendNotification(lsp.InitializedNotification.type, {});
  await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, { textDocument: { uri, languageId: "mlp", version: 1, text } });
  out.good = await diagnostics();
  const place = (needle, offset = 0) => {
    const at = text.indexOf(needle) + offset, before = text.slice(0, at);
    return { line: before.split("\n").length - 1, character: at - (before.lastIndexOf("\n") + 1) };
  };
  const textDocument = { uri };
  out.hover = await connection.sendRequest(lsp.HoverRequest.type, { textDocument, position: place("    age\n", 4) });
  out.definition = await connection.sendRequest(lsp.DefinitionRequest.type, { textDocument, position: place("shared.people", 8) });
  out.completion = await connection.sendRequest(lsp.CompletionRequest.type, { textDocument, position: place("shared.half", 7) });
  const edit = async (changed, version) => {
    await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, { textDocument: { uri: otherUri, version }, contentChanges: [{ text: changed }] });
    return diagnostics();
  };
  await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, { textDocument: { uri: otherUri, languageId: "mlp", version: 1, text: other } });
  await diagnostics();
  out.changed = await edit(other.replace("spent : float; ", ""), 2);
  out.broken = await edit(other.replace("age : int", "age : itn"), 3);
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
