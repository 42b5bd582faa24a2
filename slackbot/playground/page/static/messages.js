/** Messages with everything that hangs on them: blocks, reactions, replies, a menu. */

import { renderBlocks } from "./blocks.js";
import { byId, h, reconcile } from "./dom.js";
import { confirmDelete, editMessage, showJson } from "./dialogs.js";
import { clock, emoji, mrkdwn } from "./mrkdwn.js";

const REACTION = "ticket";
const SHORTCUT = "file_ticket";

/** Show messages in a list; `replies` by parent, or null inside a thread. */
export function showMessages(list, messages, app, replies) {
  reconcile(list, messages.map((message) => {
    const answers = replies?.get(message.json.ts) ?? [];
    return {
      key: message.json.ts,
      stamp: `${message.version} ${answers.length} ${answers.at(-1)?.json.ts}`,
      make: () => row(message, app, answers, replies !== null),
    };
  }));
}

/** A coloured square with a person's initial, or with the app's sign. */
export function avatar(store, user) {
  const tone = [...user].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 6;
  const isApp = store.users[user]?.is_app;
  return h("span", { class: isApp ? "avatar app" : `avatar tone-${tone}`, "aria-hidden": "true" },
    isApp ? "🎫" : store.name(user).slice(0, 1));
}

function row(message, app, answers, inChannel) {
  const { json, ephemeral } = message;
  const name = app.store.name(json.user);
  return h("li", { class: ephemeral ? "message ephemeral" : "message", tabindex: "-1" },
    avatar(app.store, json.user),
    h("div", { class: "content" },
      ephemeral && h("p", { class: "muted note" }, "👁 Only visible to you"),
      h("p", { class: "author" },
        h("strong", {}, name), json.bot_id && h("span", { class: "badge" }, "APP"), clock(json.ts),
        json.edited && h("span", { class: "muted" }, "(edited)")),
      body(message, app),
      files(message, app),
      reactions(message, app),
      answers.length > 0 && thread(message, answers, app),
    ),
    toolbar(message, app, inChannel),
  );
}

function body(message, app) {
  const { json, channel } = message;
  if (json.subtype === "tombstone") return h("p", { class: "muted gone" }, json.text);
  if (!json.bot_id || !json.blocks) return h("div", {}, mrkdwn(json.text, app.store));
  return h("div", { class: "card" }, renderBlocks(json.blocks, app.tools({ channel, ts: json.ts })));
}

function files({ json }, app) {
  if (!json.files || json.subtype === "tombstone") return null;
  return h("div", { class: "files" }, json.files.map((file) => h("figure", {},
    /\.png$/i.test(file.name)
      ? h("img", { src: `/page/files/${file.id}?as=${app.store.me}`, alt: file.alt_txt || file.title })
      : null,
    h("figcaption", { class: "muted" }, file.title))));
}

function reactions({ json, channel }, app) {
  if (!json.reactions) return null;
  return h("div", { class: "reactions" }, json.reactions.map(({ name, users, count }) =>
    h("button", {
      type: "button",
      "aria-pressed": String(users.includes(app.store.me)),
      "aria-label": `${name}: ${users.map((user) => app.store.name(user)).join(", ")}`,
      "data-focus": `reaction ${name}`,
      onclick: () => app.act({ act: "react", channel, ts: json.ts, emoji: name }),
    }, `${emoji(name)} ${count}`)));
}

function thread({ json, channel }, answers, app) {
  const count = `${answers.length} ${answers.length === 1 ? "reply" : "replies"}`;
  return h("a", { class: "replies", href: app.href(channel, json.ts), "data-focus": "replies" },
    [...new Set(answers.map((answer) => answer.json.user))].map((user) => avatar(app.store, user)),
    h("strong", {}, count), h("span", { class: "muted" }, "last at ", clock(answers.at(-1).json.ts)));
}

// What can be done with a message ---------------------------------------------------------------------

function toolbar(message, app, inChannel) {
  const offered = offers(message, app, inChannel);
  const quick = offered.filter(({ icon }) => icon).map(({ icon, label, run }) =>
    h("button", { type: "button", class: "icon quick", "aria-label": label, title: label, "data-focus": label, onclick: run }, icon));
  const more = h("button", {
    type: "button", class: "icon", "aria-label": "More actions", title: "More actions", "data-focus": "more",
    "aria-haspopup": "true", onclick: (event) => openMenu(event.currentTarget, offered),
  }, "⋯");
  return h("div", { class: "toolbar" }, quick, more);
}

/** What this person may do with a message: `icon` for what is at hand without the menu. */
function offers(message, app, inChannel) {
  const { json, channel, ephemeral } = message;
  const at = { channel, ts: json.ts };
  const gone = json.subtype === "tombstone";
  const own = json.user === app.store.me && !gone;
  return [
    !ephemeral && !gone && { icon: "🎫", label: "React with :ticket:", run: () => app.act({ act: "react", ...at, emoji: REACTION }) },
    !ephemeral && inChannel && { icon: "💬", label: "Reply in thread", run: () => app.go(channel, json.ts) },
    !ephemeral && !gone && { label: "File as ticket", run: () => app.act({ act: "shortcut", ...at, callback: SHORTCUT }) },
    own && { label: "Edit message", run: () => editMessage(message, app) },
    own && { label: "Delete message", run: () => confirmDelete(message, app) },
    { label: "Show JSON", run: () => showJson(json) },
  ].filter(Boolean);
}

function openMenu(button, offered) {
  const menu = byId("menu-popover");
  menu.replaceChildren(...offered.map(({ label, run }) =>
    h("button", { type: "button", onclick: () => { menu.hidePopover(); run(); } }, label)));
  menu.showPopover();
  const place = button.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(8, place.right - width)}px`;
  menu.style.top = `${Math.min(place.bottom + 4, innerHeight - height - 8)}px`;
  menu.firstElementChild.focus();
}

/** What stands above the first message of a conversation. */
export function beginning(title, topic) {
  return h("div", { class: "beginning" }, h("h2", {}, title), topic && h("p", { class: "muted" }, topic));
}
