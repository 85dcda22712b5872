/** The server's side of the file widgets, over the API client. */

import type { FileRef } from "../api/answers";
import type { Client } from "../api/client";
import type { FileServer } from "./files";

export function fileServer(client: Client): FileServer {
  return {
    folder: (folder) => client.folder(folder),
    upload: async (file, name) => nameOf(await client.upload(file, name)),
    uploadMask: async (mask, original) => nameOf(await client.uploadMask(mask, inputPicture(original))),
    classes: async (checkpoint) => {
      try {
        return namesIn((await client.modelMetadata("checkpoints", checkpoint))["darkroom.classes"]);
      } catch {
        return []; // they are offered where they are known, and nobody misses them elsewhere
      }
    },
    pictureUrl: (name, thumbnail) => client.fileUrl(inputPicture(name), thumbnail),
  };
}

/** `portraits/anna.png` in the input folder. */
export function inputPicture(name: string): FileRef {
  const cut = name.lastIndexOf("/");
  return { type: "input", subfolder: name.slice(0, Math.max(0, cut)), filename: name.slice(cut + 1) };
}

function namesIn(text: string | undefined): string[] {
  const value: unknown = JSON.parse(text ?? "[]");
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}

function nameOf({ subfolder, filename }: FileRef): string {
  return subfolder ? `${subfolder}/${filename}` : filename;
}
