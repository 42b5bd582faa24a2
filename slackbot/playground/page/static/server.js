/** Talks with the playground: one stream of news in, acts out. */

const RETRY = 1000; // milliseconds

/** Post JSON; throws an Error with text for people. */
async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new Error("The playground has stopped.");
  });
  if (response.status === 409) throw new Error((await response.json()).error);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

/** Do something as a person; throws when it is not possible or the app did not answer. */
export async function act(person, wish) {
  const { took } = await post(`/page/act?as=${encodeURIComponent(person)}`, wish);
  if (!took) throw new Error("AutoTicket did not answer. Try again?");
}

/**
 * Hear everything that a person sees; the first news is always a snapshot, after a lost
 * connection too. A browser tries again by itself only when nobody answered at all, not when the
 * playground was still starting.
 * @returns a function that stops it
 */
export function listen(person, onNews, onConnection) {
  const query = person ? `?as=${encodeURIComponent(person)}` : "";
  let source;
  let again = 0;
  const open = () => {
    source = new EventSource(`/page/changes${query}`);
    source.onmessage = (event) => onNews(JSON.parse(event.data));
    source.onopen = () => onConnection(true);
    source.onerror = () => {
      onConnection(false);
      if (source.readyState === EventSource.CLOSED) again = setTimeout(open, RETRY);
    };
  };
  open();
  return () => {
    clearTimeout(again);
    source.close();
  };
}

export const morning = () => fetch("/page/morning").then((response) => response.json());
export const playMorning = (wish) => post("/page/morning", wish);
