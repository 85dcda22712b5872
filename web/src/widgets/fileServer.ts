/** The server's side of the file widgets, over the API client. */

import type { FileRef } from "../api/answers";
import type { Client } from "../api/client";
import type { FileServer } from "./files";

export function fileServer(client: Client): FileServer {
  return {
    folder: (folder) => client.folder(folder),
    upload: async (file, name) => nameOf(await client.upload(file, name)),
    uploadMask: async (mask, original) => nameOf(await client.uploadMask(mask, inputPicture(original))),
    pictureUrl: (name, thumbnail) => client.fileUrl(inputPicture(name), thumbnail),
  };
}

/** `portraits/anna.png` in the input folder. */
export function inputPicture(name: string): FileRef {
  const cut = name.lastIndexOf("/");
  return { type: "input", subfolder: name.slice(0, Math.max(0, cut)), filename: name.slice(cut + 1) };
}

function nameOf({ subfolder, filename }: FileRef): string {
  return subfolder ? `${subfolder}/${filename}` : filename;
}
