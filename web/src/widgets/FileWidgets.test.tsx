// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { Held, type Told } from "../testing/Held";
import { CHECKPOINT, IMAGE, SAMPLER } from "../testing/schemas";
import { inputPicture } from "./fileServer";
import { type FileServer, Files, FilesContext } from "./files";

afterEach(cleanup);

/** A server whose folders are lists in memory. */
class Folders implements FileServer {
  asked = 0;
  broken = false;

  constructor(readonly names: Record<string, string[]>) {}

  async folder(folder: string): Promise<string[]> {
    this.asked += 1;
    if (this.broken) throw new Error("The server cannot be reached.");
    return [...(this.names[folder] ?? [])];
  }

  async upload(_file: Blob, name: string): Promise<string> {
    if (name.endsWith(".bad.png")) throw new Error("This is no picture.");
    this.names.input = [...(this.names.input ?? []), name];
    return name;
  }

  async uploadMask(_mask: Blob, original: string): Promise<string> {
    return `masked-${original}`;
  }

  async classes(): Promise<string[]> {
    return [];
  }

  pictureUrl(name: string, thumbnail?: number): string {
    return `/v1/files/input/${name}?thumbnail=${thumbnail ?? ""}`;
  }
}

function show(server: Folders, widget: React.ReactNode) {
  render(<FilesContext value={new Files(server)}>{widget}</FilesContext>);
}

const many = Array.from({ length: 1000 }, (_, number) => `model-${number}.safetensors`);

test("a combo opens, is searched and chosen from without the mouse", async () => {
  const told: Told[] = [];
  render(<Held schema={SAMPLER} start="euler" told={told} />);
  screen.getByRole("combobox", { name: /sampler name: euler/ }).focus();
  await userEvent.keyboard("{ArrowDown}");
  const search = await screen.findByRole("combobox", { name: "Search sampler name" });
  expect(document.activeElement).toBe(search);
  await userEvent.keyboard("dpmpp");
  expect(screen.getAllByRole("option").map((option) => option.textContent)).toEqual(["dpmpp_2m", "dpmpp_sde"]);
  await userEvent.keyboard("{ArrowDown}{Enter}");
  expect(told).toEqual([{ value: "dpmpp_sde", final: true }]);
  expect(document.activeElement).toBe(screen.getByRole("combobox"));
});

test("Escape closes the list and changes nothing", async () => {
  const told: Told[] = [];
  render(<Held schema={SAMPLER} start="euler" told={told} />);
  await userEvent.click(screen.getByRole("combobox"));
  await userEvent.keyboard("dd{Escape}");
  expect(screen.queryByRole("listbox")).toBeNull();
  expect(told).toEqual([]);
});

test("left and right go through the choices without opening them", async () => {
  const told: Told[] = [];
  render(<Held schema={SAMPLER} start="euler" told={told} />);
  screen.getByRole("combobox").focus();
  await userEvent.keyboard("{ArrowRight}{ArrowRight}{ArrowLeft}{ArrowLeft}{ArrowLeft}");
  expect(told.map(({ value }) => value)).toEqual(["euler_ancestral", "heun", "euler_ancestral", "euler"]);
});

test("a value that is not among the choices is shown as missing", async () => {
  render(<Held schema={SAMPLER} start="unipc_bh2" told={[]} />);
  const combo = screen.getByRole("combobox", { name: "sampler name: unipc_bh2, which is missing" });
  expect(combo.getAttribute("aria-invalid")).toBe("true");
  await userEvent.click(combo);
  expect(screen.getByText(/is missing here/)).toBeTruthy();
});

test("of a thousand files two hundred are drawn, and the others are found by typing", async () => {
  const told: Told[] = [];
  show(new Folders({ checkpoints: many }), <Held schema={CHECKPOINT} told={told} />);
  await userEvent.click(await screen.findByRole("combobox"));
  expect(await screen.findByText("800 more. Type to find them.")).toBeTruthy();
  expect(screen.getAllByRole("option")).toHaveLength(200);
  await userEvent.keyboard("l-987");
  await userEvent.click(screen.getByRole("option"));
  expect(told).toEqual([{ value: "model-987.safetensors", final: true }]);
});

test("two widgets of a folder ask once, and opening the list asks again", async () => {
  const server = new Folders({ checkpoints: ["a.safetensors"] });
  const told: Told[] = [];
  show(
    server,
    <>
      <Held schema={CHECKPOINT} start="a.safetensors" told={told} />
      <Held schema={CHECKPOINT} start="a.safetensors" told={told} />
    </>,
  );
  await waitFor(() => expect(server.asked).toBe(1));
  server.names.checkpoints = ["a.safetensors", "b.safetensors"];
  await userEvent.click(screen.getAllByRole("combobox")[0] as HTMLElement);
  expect(await screen.findByRole("option", { name: "b.safetensors" })).toBeTruthy();
  expect(server.asked).toBe(2);
});

test("an empty folder and a server that is away are said, with a way on", async () => {
  const server = new Folders({});
  server.broken = true;
  show(server, <Held schema={CHECKPOINT} told={[]} />);
  await userEvent.click(screen.getByRole("combobox"));
  expect(await screen.findByText(/cannot be reached/)).toBeTruthy();
  server.broken = false;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText(/There is nothing in the folder/)).toBeTruthy();
});

function picture(name: string): File {
  return new File([new Uint8Array([137, 80, 78, 71])], name, { type: "image/png" });
}

test("a picture comes by the file chooser, and is shown", async () => {
  const told: Told[] = [];
  show(new Folders({ input: [] }), <Held schema={IMAGE} told={told} />);
  await userEvent.upload(screen.getByLabelText("Picture file"), picture("cat.png"));
  await waitFor(() => expect(told).toEqual([{ value: "cat.png", final: true }]));
  const frame = await screen.findByRole("button", { name: "cat.png. Choose another picture" });
  expect(frame.querySelector("img")?.getAttribute("src")).toContain("thumbnail=512");
});

test("a picture comes by dropping it, and the canvas does not see the drop", async () => {
  const told: Told[] = [];
  let seen = 0;
  render(
    // biome-ignore lint/a11y/noStaticElementInteractions: it stands for the canvas
    <div onDrop={() => (seen += 1)}>
      <FilesContext value={new Files(new Folders({ input: [] }))}>
        <Held schema={IMAGE} told={told} />
      </FilesContext>
    </div>,
  );
  const frame = screen.getByRole("button", { name: "Choose a picture" });
  fireEvent.drop(frame, { dataTransfer: { files: [picture("dog.png")], types: ["Files"] } });
  await waitFor(() => expect(told.at(-1)?.value).toBe("dog.png"));
  expect(seen).toBe(0);
});

test("a pasted picture gets a name of its own", async () => {
  const told: Told[] = [];
  show(new Folders({ input: [] }), <Held schema={IMAGE} told={told} />);
  fireEvent.paste(screen.getByRole("button", { name: "Choose a picture" }), {
    clipboardData: { files: [picture("image.png")] },
  });
  await waitFor(() => expect(told.at(-1)?.value).toMatch(/^pasted-\d{8}-\d{6}\.png$/));
});

test("what is no picture, and what the server refuses, is said", async () => {
  const told: Told[] = [];
  show(new Folders({ input: [] }), <Held schema={IMAGE} told={told} />);
  const frame = screen.getByRole("button", { name: "Choose a picture" });
  const text = new File(["words"], "words.txt", { type: "text/plain" });
  fireEvent.drop(frame, { dataTransfer: { files: [text], types: ["Files"] } });
  expect(await screen.findByRole("alert")).toHaveProperty("textContent", expect.stringContaining("no picture"));
  fireEvent.drop(frame, { dataTransfer: { files: [picture("x.bad.png")], types: ["Files"] } });
  await waitFor(() => expect(screen.getByRole("alert").textContent).toBe("This is no picture."));
  expect(told).toEqual([]);
});

test("a picture that is not on the server is said to be missing", async () => {
  show(new Folders({ input: ["other.png"] }), <Held schema={IMAGE} start="gone.png" told={[]} />);
  expect(await screen.findByText("This picture is missing here.")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Mask" })).toBeNull();
});

test("a picture in a subfolder is addressed by both parts", () => {
  expect(inputPicture("portraits/anna.png")).toEqual({ type: "input", subfolder: "portraits", filename: "anna.png" });
  expect(inputPicture("anna.png")).toEqual({ type: "input", subfolder: "", filename: "anna.png" });
});
