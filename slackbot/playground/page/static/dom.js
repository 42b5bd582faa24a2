/** Builds and updates DOM nodes. Data only ever becomes text nodes and checked attributes. */

/** An element; `on…` properties are listeners, and whatever is not there is left out. */
export function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Text that only screen readers get. */
export const unseen = (text) => h("span", { class: "hidden" }, text);

/**
 * Make the children of `list` those of `items`, keeping every node that did not change, and with
 * it focus, selection and open menus.
 * @param items `{key, stamp, make}` each: `make` is called for new keys and changed stamps.
 */
export function reconcile(list, items) {
  const old = new Map([...list.children].map((node) => [node.dataset.key, node]));
  const nodes = items.map((item) => kept(old.get(item.key), item));
  const wanted = new Set(nodes);
  for (const node of [...list.children]) if (!wanted.has(node)) node.remove();
  nodes.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
}

function kept(node, { key, stamp, make }) {
  if (node && node.stamp === stamp) return node;
  const fresh = make();
  fresh.dataset.key = key;
  fresh.stamp = stamp;
  if (node) replace(node, fresh);
  return fresh;
}

/** Put `fresh` in the place of `node`; the focus goes to the same control, or to the whole. */
export function replace(node, fresh) {
  const active = node.contains(document.activeElement) ? document.activeElement : null;
  node.replaceWith(fresh);
  if (!active) return;
  const control = active.dataset.focus;
  const same = control && fresh.querySelector(`[data-focus="${CSS.escape(control)}"]`);
  (same || fresh).focus({ preventScroll: true });
}

let toastTimer = 0;

/** Say what went wrong; it stays for six seconds. */
export function toast(text) {
  byId("toast").textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (byId("toast").textContent = ""), 6000);
}
