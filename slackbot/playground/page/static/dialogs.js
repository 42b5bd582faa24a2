/** Dialogs: the app's modals, the JSON of a card, editing and deleting a message. */

import { entriesOf, renderBlocks } from "./blocks.js";
import { byId, h, replace } from "./dom.js";
import { toTyped, toWire } from "./mrkdwn.js";

/** A modal dialog around a form; it removes itself when it closes. */
function open(form, onCancel) {
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    onCancel ? onCancel() : dialog.close();
  });
  byId("dialogs").append(dialog);
  dialog.showModal();
  return dialog;
}

const heading = (text) => h("h2", { id: "dialog-title" }, text);

const cancel = (text, onclick) => h("button", { type: "button", "data-focus": "cancel", onclick }, text);

const submit = (text, style = "primary") => h("button", { type: "submit", class: style, "data-focus": "submit" }, text);

/** A form in which something is asked once. */
function ask(title, content, button, onSubmit) {
  const form = h("form", {}, heading(title), content,
    h("footer", {}, cancel("Cancel", () => dialog.close()), button));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    onSubmit(form);
  });
  const dialog = open(form);
}

export function editMessage({ channel, json }, app) {
  const box = h("textarea", { "aria-label": "Message", name: "text", rows: 4, required: true }, toTyped(json.text, app.store));
  ask("Edit message", box, submit("Save"), () =>
    app.act({ act: "edit", channel, ts: json.ts, text: toWire(box.value, app.store) }));
}

export function confirmDelete({ channel, json }, app) {
  const content = h("p", {}, "Delete this message for everybody? A ticket made from it is withdrawn.");
  ask("Delete message", content, submit("Delete", "danger"), () => app.act({ act: "delete", channel, ts: json.ts }));
}

/** The dialog of a button that asks whether somebody means it. */
export function askBefore({ title, text, confirm, deny, style }, onConfirm) {
  const form = h("form", {}, heading(title.text), h("p", {}, text.text),
    h("footer", {}, cancel(deny.text, () => dialog.close()), submit(confirm.text, style ?? "primary")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    onConfirm();
  });
  const dialog = open(form);
}

export function showJson(json) {
  const close = cancel("Close", () => dialog.close());
  const dialog = open(h("div", {}, heading("JSON"),
    h("pre", { tabindex: "0", role: "region", "aria-labelledby": "dialog-title" }, JSON.stringify(json, null, 2)),
    h("footer", {}, close)));
  close.focus();
}

// The app's modals ---------------------------------------------------------------------------------

/** Keeps one dialog in step with the modal that the app shows. */
export class AppModal {
  constructor(app) {
    this.app = app;
    this.dialog = null;
    this.shown = null;
  }

  show(modal) {
    if (modal === this.shown) return;
    this.shown = modal;
    if (!modal) return this.hide();
    const form = viewForm(modal, this.app);
    if (this.dialog) replace(this.dialog.firstElementChild, form);
    else this.open(form);
    const wrong = form.querySelector('[aria-invalid="true"]');
    const first = document.activeElement === form && form.querySelector("[name]");
    (wrong || first)?.focus?.();
  }

  open(form) {
    this.dialog = open(form, () => this.app.act({ act: "close", view: this.shown.json.id }));
  }

  hide() {
    this.dialog?.close();
    this.dialog = null;
  }
}

function viewForm({ json, errors }, app) {
  const view = { view: json.id };
  const tools = { ...app.tools(view), values: json.state.values, errors };
  const sends = json.submit && submit(json.submit.text);
  const form = h("form", { tabindex: "-1" },
    heading(json.title.text),
    h("div", { class: "view" }, renderBlocks(json.blocks, tools)),
    errors[""] && h("p", { class: "error", role: "alert" }, errors[""]),
    h("footer", {}, cancel(json.close?.text ?? "Close", () => app.act({ act: "close", ...view })), sends));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    app.act({ act: "submit", ...view, entries: entriesOf(form) }, sends);
  });
  return form;
}
