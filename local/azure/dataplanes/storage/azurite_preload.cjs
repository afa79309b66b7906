// Loaded before Azurite (node --require): answers a write only once it is on disk, and knows one key for every account.
//
// Azurite saves its metadata every five seconds; a kill in between would lose what was answered. It reads its accounts
// from an environment variable at its start, but accounts come and go with their ARM resources: which ones there are,
// and who may do what, is decided by the checking proxy, the only holder of the key.
"use strict";
const fs = require("fs");
const http = require("http");
const path = require("path");
const { createRequire } = require("module");

const main = fs.realpathSync(process.argv[1]);
const azurite = createRequire(main);
const key = Buffer.from(fs.readFileSync(process.env.AZURITE_BACKEND_KEY_FILE, "utf8").trim(), "base64");
if (key.length < 32) throw new Error("AZURITE_BACKEND_KEY_FILE holds no key of at least 32 bytes.");

const accounts = azurite(path.join(path.dirname(main), "common", "AccountDataStore.js")).default;
if (typeof accounts?.prototype?.getAccount !== "function") {
  throw new Error(`${main} is an Azurite whose account store this preload does not know; 3.37 is known to fit.`);
}
accounts.prototype.getAccount = (name) => ({ name, key1: key });

const Loki = azurite("lokijs");
const databases = new Set();
const configure = Loki.prototype.configureOptions;
Loki.prototype.configureOptions = function (...options) {
  databases.add(this);
  return configure.apply(this, options);
};

function save(database) {
  // Nothing changed and nothing is being written: what was answered before lies on disk already.
  if (!database.autosaveDirty() && !database.throttledSavePending) return Promise.resolve();
  return new Promise((resolve, reject) => database.saveDatabase((error) => (error ? reject(error) : resolve())));
}

const end = http.ServerResponse.prototype.end;
http.ServerResponse.prototype.end = function (...rest) {
  if (this.heldBack || ["GET", "HEAD", "OPTIONS"].includes(this.req.method)) return end.apply(this, rest);
  this.heldBack = true;
  const persisted = [...databases].filter((each) => each.persistenceAdapter && each.persistenceMethod === "fs");
  Promise.all(persisted.map(save)).then(
    () => end.apply(this, rest),
    (error) => {
      console.error(`Azurite could not save: ${error.message}`);
      this.destroy(error); // no answer rather than a promise that may not hold
    },
  );
  return this;
};
