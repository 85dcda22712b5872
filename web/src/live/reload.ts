/** Reading the nodes anew: the worker is replaced, and when the next one is ready its nodes are told. */

import { catalogueStore } from "../app/catalogue";
import { notify } from "../app/notices";
import { attempt } from "./attempt";
import { connectionStore } from "./connection";
import { loadCatalogue } from "./follow";
import { client } from "./server";

export async function reloadNodes(): Promise<void> {
  const renewed = nextWorker();
  const asked = await attempt("The nodes could not be read again", async () => {
    await client.reloadNodes();
    return true;
  });
  if (!asked) {
    renewed.forget();
    return;
  }
  notify({ kind: "info", text: "The nodes are read again as soon as the running jobs are done." });
  await renewed.ready;
  await loadCatalogue();
  const { nodes, plugins } = catalogueStore.getState();
  const broken = plugins.filter((plugin) => plugin.problems.length > 0).length;
  if (broken === 0) notify({ kind: "success", text: `${nodes.size} nodes were read.` });
  else {
    const which = broken === 1 ? "One plugin has" : `${broken} plugins have`;
    notify({ kind: "warning", text: `${nodes.size} nodes were read. ${which} problems: see the nodes panel.` });
  }
}

/** When a worker that has yet to start is ready. */
function nextWorker(): { ready: Promise<void>; forget(): void } {
  let forget = () => {};
  const ready = new Promise<void>((done) => {
    let started = false;
    forget = connectionStore.subscribe(({ worker }) => {
      if (worker === "starting") started = true;
      else if (started && worker === "ready") {
        forget();
        done();
      }
    });
  });
  return { ready, forget: () => forget() };
}
