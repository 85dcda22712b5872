/** The results that the page shows: of the last run that made some, until the next one does. */

import { useEffect, useRef, useState } from "react";
import type { FileRef } from "../api/answers";
import { type JobRun, useRun } from "../app/run";
import { fileKey, picturesOf } from "../live/pictures";

/** Pictures that stay in the strip, newest first. */
const KEPT = 24;

export interface Results {
  pictures: readonly FileRef[];
  /** How many of them, from the first, the last run made. */
  fresh: number;
  texts: readonly string[];
  /** By key of a picture: the input picture that its run began with. */
  befores: Readonly<Record<string, string>>;
}

/**
 * @param outputs the nodes whose results count; none: all.
 * @param asked the picture that the page asks for, as it is filled in now.
 */
export function useResults(outputs: readonly string[], asked: string | null): Results {
  const run = useRun((run) => run);
  const [results, setResults] = useState<Results>({ pictures: [], fresh: 0, texts: [], befores: {} });
  // What is asked may be another picture by the time that the results are there.
  const began = useRef<{ job: string; with: string | null }>({ job: "", with: null });
  if (began.current.job !== run.job) began.current = { job: run.job, with: asked };
  // biome-ignore lint/correctness/useExhaustiveDependencies: taken in anew when results came, not with every step
  useEffect(() => {
    const made = resultsOf(run, outputs, began.current.with);
    if (made.pictures.length === 0 && made.texts.length === 0) return;
    setResults((before) => added(before, made));
  }, [run.outputs, outputs.join()]);
  return results;
}

function resultsOf(run: JobRun, outputs: readonly string[], before: string | null): Results {
  const shown = Object.entries(run.outputs).filter(([node]) => outputs.length === 0 || outputs.includes(node));
  const pictures = picturesOf(Object.fromEntries(shown));
  const befores = before === null ? {} : Object.fromEntries(pictures.map((picture) => [fileKey(picture), before]));
  return { pictures, fresh: pictures.length, texts: shown.flatMap(([, output]) => output.text ?? []), befores };
}

export function added(before: Results, made: Results): Results {
  const keys = new Set(made.pictures.map(fileKey));
  const older = before.pictures.filter((picture) => !keys.has(fileKey(picture)));
  const pictures = [...made.pictures, ...older].slice(0, KEPT);
  return { ...made, pictures, befores: { ...before.befores, ...made.befores } };
}
