// The API as a page, generated from the server's /openapi.json.

import { call, get, make } from "./dom.js";

const api = await call("GET", "/openapi.json");
const cards = [];
for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, about] of Object.entries(methods)) {
    const rows = [...(about.parameters ?? []).map((one) => [one.name, one.schema, one.description ?? one.schema.description]), ...bodyOf(about)];
    const parameters = rows.flatMap(([name, schema, text]) => [
      make("dt", {}, make("code", {}, name)),
      make("dd", {}, [kindOf(schema), text].filter(Boolean).join(". ")),
    ]);
    const head = make("h2", {}, make("code", { class: "method" }, method.toUpperCase()), " ", make("code", {}, path), make("small", {}, about.summary ?? ""));
    cards.push(make("section", { class: "card" }, head, ...(parameters.length ? [make("dl", {}, ...parameters)] : []), make("pre", {}, make("code", {}, example(method, path, about)))));
  }
}
get("operations").replaceChildren(...cards);

function resolved(schema) {
  return schema?.$ref ? api.components.schemas[schema.$ref.split("/").at(-1)] : schema;
}

function bodyOf(about) {
  const schema = resolved(about.requestBody?.content?.["application/json"]?.schema);
  return Object.entries(schema?.properties ?? {}).map(([name, one]) => [name, one, one.description]);
}

function kindOf(schema) {
  const one = resolved(schema);
  if (one.anyOf) return one.anyOf.map(kindOf).join(" or ");
  if (one.enum) return one.enum.map((value) => JSON.stringify(value)).join(", ");
  if (one.type === "array") return `list of ${kindOf(one.items)}`;
  const limits = [one.minimum, one.maximum].every((value) => value !== undefined) ? ` ${one.minimum} to ${one.maximum}` : "";
  return (one.type ?? "anything") + limits;
}

function example(method, path, about) {
  const parts = ["curl"];
  if (method !== "get") parts.push(`-X ${method.toUpperCase()}`);
  const body = exampleBody(about);
  if (body) parts.push(`-H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`);
  if (path === "/api/videos" && method === "post") parts.push("--data-binary @clip.mp4");
  return `${parts.join(" ")} '${location.origin}${path}${path === "/api/videos" ? "?name=clip.mp4" : ""}'`;
}

/** What a request must have, or the first of what it may have. */
function exampleBody(about) {
  const required = resolved(about.requestBody?.content?.["application/json"]?.schema)?.required;
  const fields = bodyOf(about);
  const shown = required ? fields.filter(([name]) => required.includes(name)) : fields.slice(0, 1);
  return shown.length ? Object.fromEntries(shown.map(([name, schema]) => [name, sample(schema)])) : null;
}

function sample(schema) {
  if (schema.examples) return schema.examples[0];
  const one = resolved(schema.anyOf?.[0] ?? schema);
  return one.enum?.at(-1) ?? { number: 0.5, integer: 1, boolean: true, array: [] }[one.type] ?? "...";
}
