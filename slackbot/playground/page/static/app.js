/** Starts the page: who and where we are stands in the address, news of the server redraw it. */

import { renderBlocks } from "./blocks.js";
import { composer } from "./composer.js";
import { AppModal, askBefore, showJson } from "./dialogs.js";
import { byId, h, reconcile, toast } from "./dom.js";
import { beginning, showMessages } from "./messages.js";
import { startMorning } from "./morning.js";
import { mrkdwn } from "./mrkdwn.js";
import { act, listen } from "./server.js";
import { showCast, showSidebar } from "./sidebar.js";
import { Store } from "./store.js";

const HOME = "home";
const NEAR_BOTTOM = 80; // pixels: who is that near follows new messages

const app = {
  store: new Store(),
  route: {},

  /** The address of a conversation, maybe with a thread. */
  href: (channel, thread) => `#/${[app.store.me, channel, thread].filter(Boolean).join("/")}`,
  go: (channel, thread) => (location.hash = app.href(channel, thread)),
  become: (person) => (location.hash = `#/${person}/${app.route.channel}`),

  /** Do something as the present person; says what went wrong and returns whether it went well. */
  async act(wish, control = null) {
    control?.setAttribute("aria-busy", "true");
    if (control) control.disabled = true;
    try {
      await act(app.store.me, wish);
      return true;
    } catch (error) {
      toast(error.message);
      return false;
    } finally {
      control?.removeAttribute("aria-busy");
      if (control) control.disabled = false;
    }
  },

  /** What the controls of blocks do; `target` says what they stand on. */
  tools: (target) => ({
    store: app.store,
    values: {},
    errors: {},
    press: (element, node) => {
      const click = () => app.act({ act: "click", ...target, action: element.action_id, value: element.value }, node);
      return element.confirm ? askBefore(element.confirm, click) : click();
    },
    choose: (element, option, node) =>
      app.act({ act: "choose", ...target, action: element.action_id, choice: option.text.text, value: option.value }, node),
  }),
};
const modal = new AppModal(app);
const composers = new Map();

// Where we are ------------------------------------------------------------------------------------

let hangUp = () => {};

function follow() {
  if (location.hash && !location.hash.startsWith("#/")) return; // the skip link
  const [, person, channel, thread] = /^#\/(\w+)(?:\/(\w+))?(?:\/([\d.]+))?$/.exec(location.hash) ?? [];
  const before = app.route;
  app.route = { person, channel, thread };
  if (person !== app.store.me || !app.store.me) connect(person);
  else arrive(before);
}

function connect(person) {
  hangUp();
  leave();
  hangUp = listen(person, hear, (connected) => {
    toast(connected ? "" : "The playground does not answer. Is it still running?");
  });
}

/** Until what the next person sees has come, what stands there is the last one's: it takes nothing. */
function leave() {
  byId("office").inert = true;
  byId("composer").replaceChildren();
  byId("thread-composer").replaceChildren();
}

/** Settle in a place that there is, and show it. */
function arrive(before = {}) {
  const { store, route } = app;
  byId("office").inert = false;
  if (route.channel !== HOME && !store.channels.has(route.channel)) {
    location.replace(app.href([...store.channels.keys()][0])); // and follow again
    return;
  }
  if (route.channel === HOME && (before.channel !== HOME || before.person !== route.person)) app.act({ act: "open_home" });
  closeMenu();
  draw();
  if (route.thread && route.thread !== before.thread) byId("thread-title").focus();
  if (!route.thread && before.thread && before.channel === route.channel) {
    document.querySelector(`[data-key="${CSS.escape(before.thread)}"] .replies`)?.focus();
  }
}

function hear(news) {
  const known = news.kind === "message" && app.store.find(news.channel.id, news.message.json.ts);
  app.store.take(news);
  if (news.kind === "snapshot") return arrive();
  if (news.kind === "message" && !known) announce(news.message);
  schedule();
}

function announce({ channel, json }) {
  if (channel !== app.route.channel || json.user === app.store.me) return;
  const said = mrkdwn(json.text, app.store).map((node) => node.textContent).join(" ");
  byId("announcer").textContent = `${app.store.name(json.user)}: ${said}`;
}

// Draw --------------------------------------------------------------------------------------------

let scheduled = false;

function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    draw();
  });
}

function draw() {
  const { store, route } = app;
  const atHome = route.channel === HOME;
  const title = atHome ? `${store.name(store.bot)} Home` : store.title(store.channels.get(route.channel));
  byId("title").textContent = title;
  byId("topic").textContent = atHome ? "What the app shows only to you" : (store.topics[route.channel] ?? "");
  document.title = `${title} | AutoTicket playground`;
  byId("home-json").hidden = !atHome;
  if (atHome) drawHome();
  else drawChannel(title);
  drawThread();
  keepUp();
  store.markSeen(route.channel);
  showCast(app);
  showSidebar(app);
  modal.show(store.modal);
}

function drawHome() {
  const { home } = app.store;
  byId("composer").replaceChildren();
  const content = fill(byId("scroll"), `${app.store.me} home`, () => h("div", { class: "home" }), false);
  const waiting = { key: "waiting", stamp: "", make: () => h("p", { class: "muted" }, "Opening …") };
  reconcile(content, home ? [{ key: home.json.id, stamp: home.json.hash, make: () => homeView(home.json) }] : [waiting]);
}

const homeView = (json) =>
  h("div", { class: "card", tabindex: "-1" }, renderBlocks(json.blocks, { ...app.tools({ view: json.id }), headings: 2 }));

function drawChannel(title) {
  const { store, route } = app;
  const { channel } = route;
  const content = fill(byId("scroll"), `${store.me} ${channel}`, () =>
    h("div", {}, beginning(title, store.topics[channel]), h("ol", { class: "messages", "aria-label": `Messages in ${title}` })));
  showMessages(content.lastElementChild, store.roots(channel), app, store.replies(channel));
  seat(byId("composer"), { channel, label: `Message ${title.replace("# ", "#")}` });
}

function drawThread() {
  const { store, route } = app;
  const parent = route.thread && store.find(route.channel, route.thread);
  byId("thread").hidden = !parent;
  document.body.classList.toggle("with-thread", Boolean(parent));
  if (!parent) return;
  const key = `${store.me} ${route.channel} ${route.thread}`;
  const list = fill(byId("thread-scroll"), key, () => h("ol", { class: "messages", "aria-label": "Messages in this thread" }));
  showMessages(list, [parent, ...(store.replies(route.channel).get(route.thread) ?? [])], app, null);
  seat(byId("thread-composer"), { channel: route.channel, thread: route.thread, label: "Reply" });
}

/** The one child of `place` under that key; a new one for a new key, shown from its end or its top. */
function fill(place, key, make, fromEnd = true) {
  if (place.dataset.shows !== key) {
    place.dataset.shows = key;
    place.replaceChildren(make());
    place.scrollTop = 0;
    place.fromEnd = place.follows = fromEnd;
    sizes.observe(place.firstElementChild);
  }
  return place.firstElementChild;
}

/** Who is at the end stays there: when more comes, a picture loads, or something else takes room. */
function keepUp() {
  for (const scroll of scrolls.filter((each) => each.follows)) {
    scroll.scrollTop = scroll.scrollHeight;
    scroll.put = scroll.scrollTop;
  }
}

const scrolls = [byId("scroll"), byId("thread-scroll")];
const sizes = new ResizeObserver(keepUp);
for (const scroll of scrolls) {
  sizes.observe(scroll);
  scroll.addEventListener("scroll", () => {
    if (scroll.follows && scroll.scrollTop >= scroll.put) return; // our own doing
    scroll.follows = scroll.fromEnd && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_BOTTOM;
  });
}

/** Put the box of that conversation there, with whatever was left in it. */
function seat(place, where) {
  const key = `${app.store.me} ${where.channel} ${where.thread}`;
  if (!composers.has(key)) composers.set(key, composer(app, where));
  const box = composers.get(key);
  if (place.firstElementChild !== box) place.replaceChildren(box);
}

// Start -------------------------------------------------------------------------------------------

const openMenu = (open) => {
  document.body.classList.toggle("with-menu", open);
  byId("menu").setAttribute("aria-expanded", String(open));
};
const closeMenu = () => openMenu(false);

byId("menu").addEventListener("click", () => openMenu(!document.body.classList.contains("with-menu")));
byId("thread-close").addEventListener("click", () => app.go(app.route.channel));
byId("home-json").addEventListener("click", () => app.store.home && showJson(app.store.home.json));
byId("thread").addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented) app.go(app.route.channel);
});
addEventListener("hashchange", follow);
startMorning();
follow();
