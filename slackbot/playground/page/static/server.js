/** Talks with the playground: one stream of news in, acts out. */

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
 * connection too.
 * @returns a function that stops it
 */
export function listen(person, onNews, onConnection) {
  const query = person ? `?as=${encodeURIComponent(person)}` : "";
  const source = new EventSource(`/page/changes${query}`);
  source.onmessage = (event) => onNews(JSON.parse(event.data));
  source.onopen = () => onConnection(true);
  source.onerror = () => onConnection(false);
  return () => source.close();
}

export const morning = () => fetch("/page/morning").then((response) => response.json());
export const playMorning = (wish) => post("/page/morning", wish);
