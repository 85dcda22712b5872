/** Plugins that were not read, or not wholly, and why. */

import { useCatalogueState } from "../app/catalogue";

export function PluginProblems() {
  const plugins = useCatalogueState((state) => state.plugins);
  const broken = plugins.filter((plugin) => plugin.problems.length > 0);
  return broken.map((plugin) => (
    <p key={plugin.name} className="job-problem">
      {plugin.name}: {plugin.problems.join("; ")}
    </p>
  ));
}
