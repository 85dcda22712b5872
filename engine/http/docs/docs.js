// Draws the OpenAPI document of this server. All text goes in as text, never as HTML.

/** Make an element with properties and children. */
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Text in which `this` is code. */
function prose(tag, text) {
  const parts = text.split("`").map((part, index) => (index % 2 ? element("code", { textContent: part }) : part));
  return element(tag, {}, ...parts);
}

/** Follow a reference into the document, one step. */
function resolved(schema, api) {
  return schema?.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema;
}

/** Say a schema's type in a few words. */
function typeOf(schema) {
  if (!schema) return "anything";
  if (schema.$ref) return schema.$ref.split("/").pop().replace("JsonValue", "any JSON");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return [...new Set(either.map(typeOf))].join(" | ");
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  if (schema.type === "object" && typeof schema.additionalProperties === "object")
    return `object of ${typeOf(schema.additionalProperties)}`;
  return Array.isArray(schema.type) ? schema.type.join(" | ") : (schema.type ?? "anything");
}

/** The models in a schema, such as that of a list. JsonValue is none: it is anything. */
function modelsIn(schema) {
  if (!schema) return [];
  if (schema.$ref) return [schema.$ref.split("/").pop()].filter((name) => name !== "JsonValue");
  const inner = [schema.items, schema.additionalProperties, ...(schema.anyOf ?? schema.oneOf ?? [])];
  return inner.filter((each) => typeof each === "object").flatMap(modelsIn);
}

/** A table of a model's fields; models inside open on demand. */
function fieldsOf(name, api, above = []) {
  const model = api.components.schemas[name];
  const box = element("div", { className: "model" });
  if (model?.description) box.append(prose("p", model.description));
  const list = element("dl");
  for (const [field, schema] of Object.entries(model?.properties ?? {})) {
    const needed = model.required?.includes(field) ? "" : " (optional)";
    const about = element("dd", {}, element("code", { textContent: typeOf(schema) }), needed);
    if (schema.description) about.append(prose("p", schema.description));
    for (const inner of modelsIn(schema))
      if (!above.includes(inner) && inner !== name) about.append(modelBox(inner, api, [...above, name]));
    list.append(element("dt", {}, element("code", { textContent: field })), about);
  }
  if (list.children.length) box.append(list);
  for (const inner of modelsIn(model ?? {}))
    if (!above.includes(inner) && inner !== name) box.append(modelBox(inner, api, [...above, name]));
  return box;
}

/** A model that is drawn when it is opened. */
function modelBox(name, api, above = []) {
  const box = element("details", {}, element("summary", { textContent: name }));
  box.addEventListener("toggle", () => box.children.length === 1 && box.append(fieldsOf(name, api, above)));
  return box;
}

/** An example value for a schema: the least that fits. */
function example(schema, api, depth = 0) {
  const model = resolved(schema, api);
  if (!model || depth > 4) return null;
  if (model.default !== undefined) return model.default;
  if (model.const !== undefined) return model.const;
  if (model.enum) return model.enum[0];
  const either = model.anyOf ?? model.oneOf;
  if (either) return example(either[0], api, depth + 1);
  if (model.properties) {
    const names = model.required ?? Object.keys(model.properties).slice(0, 1);
    return Object.fromEntries(names.map((name) => [name, example(model.properties[name], api, depth + 1)]));
  }
  return { array: [], object: {}, string: "", integer: 0, number: 0, boolean: false }[model.type] ?? null;
}

/** A form that sends the request and shows what comes back. */
function tryIt(method, path, operation, api) {
  const form = element("form", { className: "try" });
  const inputs = operation.parameters.map((parameter) => {
    const input = element("input", { name: parameter.name, required: parameter.required ?? false });
    form.append(element("label", {}, `${parameter.name} `, input));
    return [parameter, input];
  });
  const json = operation.requestBody?.content["application/json"];
  const body = element("textarea", { rows: 6, spellcheck: false, ariaLabel: "JSON body" });
  if (json) {
    body.value = JSON.stringify(example(json.schema, api), null, 2);
    form.append(body);
  }
  const answer = element("pre", { hidden: true, tabIndex: 0 });
  form.append(element("button", { textContent: `Send ${method}` }), answer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const url = new URL(path, location.origin);
    const headers = json ? { "Content-Type": "application/json" } : {};
    for (const [parameter, input] of inputs) {
      if (parameter.in === "path")
        url.pathname = decodeURI(url.pathname).replace(`{${parameter.name}}`, input.value);
      else if (input.value && parameter.in === "query") url.searchParams.set(parameter.name, input.value);
      else if (input.value) headers[parameter.name] = input.value;
    }
    answer.hidden = false;
    answer.textContent = "…";
    try {
      const response = await fetch(url, { method, headers, body: json ? body.value : undefined });
      answer.textContent = `${response.status} ${response.statusText}\n\n${await shown(response)}`;
    } catch (error) {
      answer.textContent = `No answer: ${error.message}`;
    }
  });
  return form;
}

/** A response's body as text to read. */
async function shown(response) {
  const type = response.headers.get("Content-Type") ?? "";
  if (!type.startsWith("application/json")) return type.startsWith("text/") ? response.text() : `(${type})`;
  return JSON.stringify(await response.json(), null, 2);
}

/** The box of one route. */
function routeBox(method, path, operation, api) {
  const head = element(
    "summary",
    {},
    element("b", { className: method.toLowerCase(), textContent: method }),
    element("code", { textContent: path }),
    prose("span", operation.summary),
  );
  const box = element("details", { className: "route", id: operation.operationId }, head);
  box.dataset.text = `${method} ${path} ${operation.summary} ${operation.description ?? ""}`.toLowerCase();
  box.addEventListener("toggle", () => box.children.length === 1 && fill());
  function fill() {
    if (operation.description) box.append(prose("p", operation.description));
    if (operation.parameters.length) {
      const list = element("dl");
      for (const each of operation.parameters) {
        const about = element("dd", {}, `in the ${each.in}, `, element("code", { textContent: typeOf(each.schema) }));
        if (each.description) about.append(prose("p", each.description));
        list.append(element("dt", {}, element("code", { textContent: each.name })), about);
      }
      box.append(element("h3", { textContent: "Parameters" }), list);
    }
    for (const [type, content] of Object.entries(operation.requestBody?.content ?? {}))
      box.append(element("h3", { textContent: `Body: ${type}` }), schemaBox(content.schema, api));
    const refusals = Object.keys(operation.responses).filter((status) => status >= "400");
    for (const [status, response] of Object.entries(operation.responses)) {
      if (refusals.includes(status)) continue;
      box.append(element("h3", { textContent: `${status} ${response.description}` }));
      for (const [type, content] of Object.entries(response.content ?? {}))
        box.append(element("div", { className: "content" }, element("code", { textContent: type }), schemaBox(content.schema, api)));
    }
    box.append(element("h3", { textContent: `Refuses with ${refusals.join(", ")}` }), modelBox("Error", api));
    if (!operation.responses["101"]) box.append(element("h3", { textContent: "Try it" }), tryIt(method, path, operation, api));
  }
  return box;
}

/** A schema in words, with its models to open. */
function schemaBox(schema, api) {
  const box = element("div");
  if (schema.description) box.append(prose("span", schema.description));
  else if (!schema.$ref || schema.$ref.endsWith("/JsonValue")) box.append(element("code", { textContent: typeOf(schema) }));
  for (const name of modelsIn(schema)) box.append(modelBox(name, api));
  return box;
}

/** Show only the routes that hold every word. */
function filter(text) {
  const words = text.toLowerCase().split(/\s+/);
  for (const route of document.querySelectorAll(".route"))
    route.hidden = !words.every((word) => route.dataset.text.includes(word));
  for (const group of document.querySelectorAll("section"))
    group.hidden = !group.querySelector(".route:not([hidden])");
}

async function main() {
  const api = await (await fetch("/v1/openapi.json")).json();
  document.querySelector("#about").textContent = api.info.description;
  const groups = new Map(api.tags.map(({ name }) => [name, element("section", {}, element("h2", { textContent: name }))]));
  for (const [path, operations] of Object.entries(api.paths))
    for (const [method, operation] of Object.entries(operations))
      groups.get(operation.tags[0]).append(routeBox(method.toUpperCase(), path, operation, api));
  document.querySelector("#routes").append(...groups.values());
  const find = document.querySelector("#find");
  find.addEventListener("input", () => filter(find.value));
  filter(find.value); // somebody may have typed while this was loading
}

await main();
