/** Pictures among outputs, and saving things to the user's disk. */

import type { FileRef } from "../api/answers";
import { isObject, type JsonValue } from "../api/json";

/** The picture files that nodes showed, in the order of the nodes. */
export function picturesOf(outputs: Readonly<Record<string, unknown>>): FileRef[] {
  return Object.values(outputs).flatMap((output) => {
    const images = isObject(output) ? output.images : undefined;
    return Array.isArray(images) ? images.filter(isFile) : [];
  });
}

export function sameFile(one: FileRef, other: FileRef): boolean {
  return one.filename === other.filename && one.subfolder === other.subfolder && one.type === other.type;
}

/** A key for lists. */
export function fileKey(file: FileRef): string {
  return `${file.type}/${file.subfolder}/${file.filename}`;
}

/** Let the browser save what is at an address. */
export function download(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

/** Let the browser save a text as a file. */
export function downloadText(text: string, name: string, type = "application/json"): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  download(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function isFile(value: JsonValue): value is JsonValue & FileRef {
  return isObject(value) && typeof value.filename === "string" && typeof value.type === "string";
}
