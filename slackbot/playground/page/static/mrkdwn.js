/** Slack's mrkdwn: to DOM nodes for reading, and between the wire and what people type. */

import { h } from "./dom.js";

const EMOJI = {
  ticket: "🎫", eyes: "👀", white_check_mark: "✅", "+1": "👍", tada: "🎉", warning: "⚠️", x: "❌",
  hourglass: "⏳", wave: "👋", smile: "😄", red_circle: "🔴", no_entry_sign: "🚫", wrench: "🔧",
};
const SPAN = (sign) =>
  `(?<![\\p{L}\\p{N}${sign}])[${sign}](?=[^\\s${sign}])([^${sign}\\n]*[^\\s${sign}])[${sign}](?![\\p{L}\\p{N}${sign}])`;
const INLINE = new RegExp(
  `\`([^\`\\n]+)\`|<([^<>\\n]+)>|${SPAN("*")}|${SPAN("_")}|${SPAN("~")}|:([a-z0-9_+-]+):`, "gu",
);
const QUOTE = /^(?:>|&gt;) ?/;

/** A character for an emoji's name, or the name itself in colons. */
export const emoji = (name) => EMOJI[name] ?? `:${name}:`;

const decode = (text) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** mrkdwn as DOM nodes; `store` knows the names behind ids. */
export function mrkdwn(text, store) {
  return text.split(/```\n?([\s\S]*?)```/).flatMap((part, index) => {
    if (index % 2) return [h("pre", {}, decode(part))];
    return part === "" ? [] : paragraphs(part, store);
  });
}

function paragraphs(text, store) {
  const groups = [];
  for (const line of text.replace(/^\n|\n$/g, "").split("\n")) {
    const quoted = QUOTE.test(line);
    const content = quoted ? line.replace(QUOTE, "") : line;
    if (groups.at(-1)?.quoted === quoted) groups.at(-1).lines.push(content);
    else groups.push({ quoted, lines: [content] });
  }
  return groups.map(({ quoted, lines }) =>
    h(quoted ? "blockquote" : "span", { class: quoted ? null : "lines" }, inline(lines.join("\n"), store)),
  );
}

function inline(text, store) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(decode(text.slice(end, match.index)), span(match, store));
    end = match.index + match[0].length;
  }
  return [...nodes, decode(text.slice(end))];
}

function span([whole, code, special, bold, italic, struck, name], store) {
  if (code) return h("code", {}, decode(code));
  if (special) return reference(special, store);
  if (bold) return h("strong", {}, inline(bold, store));
  if (italic) return h("em", {}, inline(italic, store));
  if (struck) return h("s", {}, inline(struck, store));
  return name in EMOJI ? EMOJI[name] : whole;
}

/** What stands between `<` and `>`: a mention, a date, a link. */
function reference(body, store) {
  const bar = body.indexOf("|");
  const target = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? "" : decode(body.slice(bar + 1));
  const name = target.slice(1);
  if (target[0] === "@") return mention(`@${store.users[name]?.name ?? (label || name)}`, name === store.me);
  if (target[0] === "#") return mention(`#${store.channels.get(name)?.name ?? (label || name)}`);
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!subteam^")) return mention(`@${store.groups[target.slice(9)] ?? label}`);
  if (target[0] === "!") return mention(`@${name}`, true);
  return link(decode(target), label, store);
}

export const mention = (text, mine = false) => h("span", { class: mine ? "mention mine" : "mention" }, text);

/** A link; a message's own address leads to that message on this page. */
export function link(url, label, store) {
  const [, channel, seconds, rest] = /^https:\/\/[^/]+\/archives\/(\w+)\/p(\d+)(\d{6})(?:\?|$)/.exec(url) ?? [];
  if (store.channels.has(channel)) {
    const parent = /[?&]thread_ts=([\d.]+)/.exec(url)?.[1] ?? `${seconds}.${rest}`;
    return h("a", { href: `#/${store.me}/${channel}/${parent}` }, label || url);
  }
  if (!/^(?:https?:\/\/|mailto:)/i.test(url)) return label || url;
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label || url.replace(/^mailto:/, ""));
}

const TIME = { hour: "2-digit", minute: "2-digit" };
const DATES = {
  "{time}": TIME, "{time_secs}": { ...TIME, second: "2-digit" }, "{date_num}": { dateStyle: "short" },
  "{date}": { dateStyle: "long" }, "{date_short}": { dateStyle: "medium" }, "{date_long}": { dateStyle: "full" },
};

function date(target, label) {
  const [, seconds, format = ""] = target.split("^");
  const at = new Date(Number(seconds) * 1000);
  if (Number.isNaN(at.valueOf())) return label;
  const shown = format.replace(/\{\w+\}/g, (token) =>
    token.endsWith("_pretty}") ? day(at, token.replace("_pretty", "")) : moment(at, DATES[token], token),
  );
  return h("time", { datetime: at.toISOString() }, shown);
}

const moment = (at, options, otherwise) =>
  options ? new Intl.DateTimeFormat("en", { hourCycle: "h23", ...options }).format(at) : otherwise;

function day(at, token) {
  const midnight = (when) => new Date(when).setHours(0, 0, 0, 0);
  const ago = Math.round((midnight(Date.now()) - midnight(at)) / 86_400_000);
  return ["Today", "Yesterday"][ago] ?? moment(at, DATES[token], token);
}

/** A message's time of day. */
export function clock(ts) {
  const at = new Date(Number(ts) * 1000);
  return h("time", { datetime: at.toISOString(), title: at.toLocaleString("en") }, moment(at, TIME));
}

// Between the wire and the message box ------------------------------------------------------------

const escaped = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const URLS = /((?<!\w)https?:\/\/[^\s<>|]*[^\s<>|.,;:!?)"'])/;

/** What a person typed, as Slack's client sends it; commands keep names and addresses as they are. */
export function toWire(typed, store, { command = false } = {}) {
  if (command) return escaped(typed);
  const ids = new Map(Object.entries(store.users).map(([id, user]) => [user.name.toLowerCase(), id]));
  const mentions = (text) => text.replace(/(?<![\w@])@([\w.-]*\w)/g, (whole, name) => {
    const id = ids.get(name.toLowerCase());
    return id ? `<@${id}>` : whole;
  });
  return typed.split(URLS).map((part, index) =>
    index % 2 ? `<${escaped(part)}>` : mentions(escaped(part))).join("");
}

/** What a person edits: the wire's text with names for ids. */
export function toTyped(wire, store) {
  const named = wire.replace(/<@(\w+)(?:\|[^>]*)?>/g, (whole, id) =>
    store.users[id] ? `@${store.users[id].name}` : whole,
  );
  return decode(named.replace(/<(https?:\/\/[^|>]+)(?:\|[^>]*)?>/g, "$1"));
}
