/** The box in which people write: Enter sends, `/` and `@` offer completions. */

import { h, reconcile, toast, unseen } from "./dom.js";
import { toWire } from "./mrkdwn.js";

const COMMANDS = [
  ["/ticket ", "and what is wrong: files a ticket"],
  ["/ticket", "alone opens the form"],
  ["/ticket status T-", "and a number: one ticket's whole story"],
  ["/ticket list", "your tickets"],
  ["/ticket stats", "how often the bot is right, for reviewers"],
  ["/ticket setup", "channels and reviewers, for admins"],
  ["/ticket help", "what else there is"],
];

let serial = 0;

/** A new box for a channel, or for a thread in it. */
export function composer(app, { channel, thread, label }) {
  const id = `completions-${(serial += 1)}`;
  const box = h("textarea", {
    rows: 1, placeholder: label, "aria-label": label, "aria-autocomplete": "list", "aria-controls": id,
    enterkeyhint: "send",
  });
  const list = h("ul", { id, role: "listbox", "aria-label": "Completions", class: "completions", hidden: true });
  const form = h("form", { class: "composer" }, list, box, h("button", { type: "submit", class: "primary" }, "Send"));
  const completions = new Completions(box, list, () => offered(box.value, app.store, thread));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    completions.close();
    send(box, app, channel, thread);
  });
  box.addEventListener("keydown", (event) => {
    if (completions.key(event) || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  return form;
}

async function send(box, app, channel, thread) {
  const typed = box.value.trim();
  if (!typed) return;
  const [, command, text] = /^(\/\S*)\s*([^]*)$/.exec(typed) ?? [];
  if (command && thread) {
    toast("Slash commands do not work in threads. Mention @AutoTicket instead.");
    return;
  }
  box.value = "";
  const wish = command
    ? { act: "command", channel, command, text: toWire(text, app.store, { command: true }) }
    : { act: "say", channel, thread, text: toWire(typed, app.store) };
  const done = await app.act(wish);
  if (!done && !box.value) box.value = typed;
}

/** What may come next: pairs of the whole text after it, and an explanation. */
function offered(value, store, thread) {
  if (value.startsWith("/")) {
    return thread ? [] : COMMANDS.filter(([command]) => command.startsWith(value) && command !== value);
  }
  const [, before, start] = /^([^]*(?:^|\s)@)(\w*)$/.exec(value) ?? [];
  if (before === undefined) return [];
  return Object.values(store.users)
    .filter(({ name }) => name.toLowerCase().startsWith(start.toLowerCase()))
    .map(({ name, real_name: realName }) => [`${before}${name} `, realName]);
}

/** A list of completions above a text box, used by keyboard or pointer. */
class Completions {
  constructor(box, list, offer) {
    Object.assign(this, { box, list, offer, options: [], active: -1 });
    box.addEventListener("input", () => this.refresh());
    box.addEventListener("blur", () => this.close());
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the focus stays in the box
      const option = event.target.closest("[role=option]");
      if (option) this.take([...list.children].indexOf(option));
    });
  }

  refresh() {
    this.options = this.offer();
    this.active = -1;
    this.show();
  }

  close() {
    this.options = [];
    this.show();
  }

  /** Handle a key; true when it is used up. */
  key(event) {
    if (!this.options.length || event.isComposing) return false;
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") this.move(key === "ArrowDown" ? 1 : -1);
    else if (key === "Escape") this.close();
    else if (key === "Tab" && !event.shiftKey) this.take(Math.max(0, this.active));
    else if (key === "Enter" && this.active >= 0) this.take(this.active);
    else return false;
    event.preventDefault();
    return true;
  }

  move(step) {
    const count = this.options.length;
    this.active = this.active < 0 && step < 0 ? count - 1 : (this.active + step + count) % count;
    this.show();
  }

  take(index) {
    this.box.value = this.options[index][0];
    this.refresh();
  }

  show() {
    this.list.hidden = !this.options.length;
    reconcile(this.list, this.options.map(([text, explanation], index) => ({
      key: text,
      stamp: String(index === this.active),
      make: () => h("li", { role: "option", id: `${this.list.id}-${index}`, "aria-selected": String(index === this.active) },
        h("strong", {}, text.trim()), " ", h("span", { class: "muted" }, explanation), unseen(". Tab takes it.")),
    })));
    const active = this.active >= 0 && `${this.list.id}-${this.active}`;
    if (active) this.box.setAttribute("aria-activedescendant", active);
    else this.box.removeAttribute("aria-activedescendant");
  }
}
