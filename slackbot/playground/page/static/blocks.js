/** Block Kit as DOM nodes with live controls. */

import { h } from "./dom.js";
import { emoji, link, mention, mrkdwn } from "./mrkdwn.js";

/**
 * @typedef {object} Tools
 * @property store Knows names.
 * @property {(element: object, node: HTMLElement) => void} press A button was pressed.
 * @property {(element: object, option: object, node: HTMLElement) => void} choose An option was chosen.
 * @property {object} values State of input fields by block and action.
 * @property {object} errors What is wrong, by block.
 * @property {number} [headings] Their level in the page's outline.
 */

/** @param {Tools} tools */
export const renderBlocks = (blocks, tools) =>
  blocks.map((block) => (BLOCKS[block.type] ?? unknown)(block, tools));

const unknown = (block) => h("p", { class: "context" }, `[${block.type}]`);

const BLOCKS = {
  header: (block, { headings = 3 }) => h("p", { class: "heading", role: "heading", "aria-level": headings }, block.text.text),
  divider: () => h("hr"),
  section: (block, tools) =>
    h("div", { class: "section" },
      h("div", {},
        block.text && h("div", {}, text(block.text, tools)),
        block.fields && h("div", { class: "fields" }, block.fields.map((field) => h("div", {}, text(field, tools)))),
      ),
      block.accessory && element(block.accessory, tools),
    ),
  context: (block, tools) =>
    h("div", { class: "context" },
      block.elements.map((each) => (each.type === "image" ? image(each) : h("div", {}, text(each, tools))))),
  actions: (block, tools) =>
    h("div", { class: "actions", role: "group" }, block.elements.map((each) => element(each, tools))),
  image: (block) => h("figure", {}, image(block), block.title && h("figcaption", {}, block.title.text)),
  input: (block, tools) => field(block, tools),
  rich_text: (block, tools) => h("div", {}, block.elements.map((each) => richPart(each, tools.store))),
};

const text = (object, { store }) =>
  object.type === "mrkdwn" ? mrkdwn(object.text, store) : h("span", { class: "lines" }, object.text);

/** The page's policy loads nothing from elsewhere: of a foreign image the description is shown. */
const image = (object) => h("img", { src: object.image_url, alt: object.alt_text });

// Controls ------------------------------------------------------------------------------------------

function element(object, tools) {
  if (object.type === "button") return button(object, tools);
  if (object.type === "static_select") return menu(object, tools);
  return object.type === "image" ? image(object) : h("span", { class: "context" }, `[${object.type}]`);
}

function button(object, tools) {
  return h("button", {
    type: "button",
    class: object.style,
    "aria-label": object.accessibility_label,
    "data-focus": `${object.action_id} ${object.value}`,
    onclick: (event) => tools.press(object, event.currentTarget),
  }, object.text.text);
}

function menu(object, tools) {
  const node = select(object, object.initial_option, { "aria-label": object.placeholder?.text ?? "Choose" });
  node.dataset.focus = `${object.action_id} ${allOptions(object)[0].value}`;
  node.addEventListener("change", () => {
    const option = allOptions(object).find(({ value }) => value === node.value);
    if (option) tools.choose(object, option, node);
  });
  return node;
}

const allOptions = (object) => object.options ?? object.option_groups.flatMap((group) => group.options);

function select(object, chosen, properties) {
  const option = (each) =>
    h("option", { value: each.value, selected: each.value === chosen?.value }, each.text.text);
  return h("select", properties,
    h("option", { value: "", selected: !chosen }, object.placeholder?.text ?? "Choose"),
    object.options?.map(option),
    object.option_groups?.map((group) => h("optgroup", { label: group.label.text }, group.options.map(option))),
  );
}

// Fields of a modal -----------------------------------------------------------------------------------

function field(block, tools) {
  const id = `field-${block.block_id}`;
  const error = tools.errors[block.block_id];
  const hints = [block.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const properties = {
    id, name: block.block_id, "data-focus": id, required: !block.optional,
    "aria-invalid": error ? "true" : null, "aria-describedby": hints || null,
  };
  const label = [block.label.text, block.optional && h("span", { class: "muted" }, " (optional)")];
  const state = tools.values[block.block_id]?.[block.element.action_id];
  const several = block.element.type.startsWith("multi_");
  return h("div", { class: "field" },
    several ? h("span", { class: "label", id: `${id}-label` }, label) : h("label", { for: id }, label),
    several ? boxes(block.element, state, properties, tools.store) : fieldControl(block, state, properties, tools.store),
    block.hint && h("p", { id: `${id}-hint`, class: "muted" }, block.hint.text),
    error && h("p", { id: `${id}-error`, class: "error" }, error),
  );
}

function fieldControl({ element: object }, state, properties, store) {
  if (object.type === "static_select") {
    return select(object, state ? state.selected_option : object.initial_option, properties);
  }
  if (object.type === "conversations_select") {
    const chosen = state ? state.selected_conversation : object.initial_conversation;
    const choices = { placeholder: object.placeholder, options: channelOptions(store, [chosen]) };
    return select(choices, { value: chosen }, { ...properties, "data-by": "value" });
  }
  const value = state ? state.value : object.initial_value;
  const limits = { maxlength: object.max_length, minlength: object.min_length, placeholder: object.placeholder?.text };
  if (object.multiline) return h("textarea", { ...properties, ...limits, rows: 4 }, value ?? "");
  return h("input", { type: "text", ...properties, ...limits, value, autocomplete: "off" });
}

const asOption = (value, text) => ({ value, text: { text } });

/** The channels there are to choose from, and what is chosen although one is not in it. */
const channelOptions = (store, chosen) => {
  const known = [...store.channels.values()].filter(({ name }) => name).map(({ id, name }) => asOption(id, `#${name}`));
  const ids = new Set(known.map(({ value }) => value));
  return [...known, ...chosen.filter((id) => id && !ids.has(id)).map((id) => asOption(id, id))];
};

const userOptions = (store) =>
  Object.entries(store.users).filter(([, user]) => !user.is_app).map(([id, user]) => asOption(id, user.real_name));

/** A menu from which several may be chosen, as boxes to tick: no key need be held for that. */
function boxes(object, state, { id, name, "aria-describedby": described }, store) {
  const chosen = {
    multi_static_select: () => (state?.selected_options ?? object.initial_options ?? []).map(({ value }) => value),
    multi_conversations_select: () => state?.selected_conversations ?? object.initial_conversations ?? [],
    multi_users_select: () => state?.selected_users ?? object.initial_users ?? [],
  }[object.type]();
  const options = {
    multi_static_select: () => allOptions(object),
    multi_conversations_select: () => channelOptions(store, chosen),
    multi_users_select: () => userOptions(store),
  }[object.type]();
  const entry = (option) => (object.type === "multi_static_select" ? option.text.text : option.value);
  return h("div", { id, class: "boxes", role: "group", "aria-labelledby": `${id}-label`, "aria-describedby": described, "data-several": name },
    options.map((option) => h("label", {},
      h("input", { type: "checkbox", name, value: entry(option), checked: chosen.includes(option.value) }), option.text.text)));
}

/** What was entered in a form, by block: option texts for menus, lists where several may be chosen. */
export function entriesOf(form) {
  const several = [...form.querySelectorAll("[data-several]")].map((group) => [
    group.dataset.several,
    [...group.querySelectorAll("input:checked")].map(({ value }) => value),
  ]);
  const single = [...form.elements].filter((control) => control.name && control.type !== "checkbox").map((control) => [
    control.name,
    control.tagName === "SELECT" && control.value && !control.dataset.by ? control.selectedOptions[0].textContent : control.value,
  ]);
  return Object.fromEntries([...single, ...several]);
}

// Rich text -------------------------------------------------------------------------------------------

const RICH_PARTS = { rich_text_quote: "blockquote", rich_text_preformatted: "pre", rich_text_section: "div" };

function richPart(part, store) {
  if (part.type === "rich_text_list") {
    const items = part.elements.map((each) => h("li", {}, richPart(each, store)));
    return h(part.style === "ordered" ? "ol" : "ul", {}, items);
  }
  return h(RICH_PARTS[part.type] ?? "div", { class: "lines" }, part.elements.map((each) => richSpan(each, store)));
}

function richSpan(part, store) {
  const shown = {
    text: () => part.text,
    link: () => link(part.url, part.text, store),
    user: () => mention(`@${store.users[part.user_id]?.name ?? part.user_id}`, part.user_id === store.me),
    channel: () => mention(`#${store.channels.get(part.channel_id)?.name ?? part.channel_id}`),
    usergroup: () => mention(`@${store.groups[part.usergroup_id] ?? part.usergroup_id}`),
    broadcast: () => mention(`@${part.range}`, true),
    emoji: () => emoji(part.name),
  }[part.type]?.() ?? "";
  const tags = { code: "code", bold: "strong", italic: "em", strike: "s" };
  return Object.keys(tags).reduce((node, style) => (part.style?.[style] ? h(tags[style], {}, node) : node), shown);
}
