/** The list of conversations with their unread marks, and the switch between people. */

import { byId, h, reconcile, unseen } from "./dom.js";
import { avatar } from "./messages.js";

const SECTIONS = [
  ["Channels", (store) => [...store.channels.values()].filter((channel) => !channel.is_im).map((channel) => entry(store, channel, "#", channel.name))],
  ["Direct messages", (store) => [...store.channels.values()].filter((channel) => channel.is_im).map((channel) => entry(store, channel, "✉", store.name(channel.user)))],
  ["Apps", (store) => [{ id: "home", sign: "⌂", name: `${store.name(store.bot)} Home`, unread: 0 }]],
];

const entry = (store, { id }, sign, name) => ({ id, sign, name, unread: store.unread(id) });

export function showSidebar(app) {
  reconcile(byId("sidebar"), SECTIONS.map(([title]) => ({ key: title, stamp: "", make: () => section(title) })));
  for (const [title, entries] of SECTIONS) {
    reconcile(byId("sidebar").querySelector(`[data-key="${title}"] ul`), entries(app.store).map((place) => {
      const href = app.href(place.id);
      const current = place.id === app.route.channel;
      return { key: place.id, stamp: `${href} ${place.unread} ${current}`, make: () => item(place, href, current) };
    }));
  }
}

const section = (title) => h("section", {}, h("h2", {}, title), h("ul", {}));

function item({ sign, name, unread }, href, current) {
  const link = h("a", { href, class: unread ? "unread" : null, "aria-current": current ? "page" : null, "data-focus": "link" },
    h("span", { class: "sign", "aria-hidden": "true" }, sign), h("span", { class: "name", title: name }, name),
    unread ? h("span", { class: "count" }, unread, unseen(" unread")) : null);
  return h("li", {}, link);
}

/** Whom the visitor can be: a group of radio buttons, made once. */
export function showCast(app) {
  const fieldset = byId("cast");
  if (fieldset.children.length === 1) fieldset.append(...app.store.cast.map((member) => seat(member, app)));
  for (const radio of fieldset.querySelectorAll("input")) radio.checked = radio.value === (app.route.person ?? app.store.me);
}

function seat({ id, name, role }, app) {
  const radio = h("input", { type: "radio", name: "cast", value: id, onchange: () => app.become(id) });
  return h("label", { title: `${name}, ${role}` }, radio, avatar(app.store, id),
    h("span", { class: "who" }, h("strong", {}, name), h("span", { class: "role" }, role)));
}
