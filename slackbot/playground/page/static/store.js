/** What one person knows of the workspace, kept up to date by the server's news. */

const SEEN = "autoticket-seen";

export class Store {
  constructor() {
    this.me = "";
    this.version = 0;
    this.seen = JSON.parse(sessionStorage.getItem(SEEN) ?? "{}");
  }

  /** Take one piece of news. */
  take(news) {
    this.version += 1;
    if (news.kind === "snapshot") this.begin(news);
    else if (news.kind === "message") this.put(news.channel, news.message);
    else if (news.kind === "gone") this.messages.get(news.channel)?.delete(news.ts);
    else this[news.kind] = news[news.kind]; // "modal" or "home"
  }

  begin({ messages, channels, ...rest }) {
    Object.assign(this, rest);
    this.channels = new Map(channels.map((channel) => [channel.id, channel]));
    this.messages = new Map(channels.map((channel) => [channel.id, new Map()]));
    for (const message of messages) this.put(this.channels.get(message.channel), message);
  }

  put(channel, message) {
    this.channels.set(channel.id, channel);
    if (!this.messages.has(channel.id)) this.messages.set(channel.id, new Map());
    this.messages.get(channel.id).set(message.json.ts, { ...message, version: this.version });
  }

  in(channel) {
    const all = [...(this.messages.get(channel)?.values() ?? [])];
    return all.sort((one, other) => (one.json.ts < other.json.ts ? -1 : 1));
  }

  find(channel, ts) {
    return this.messages.get(channel)?.get(ts);
  }

  /** What stands in a channel itself, oldest first. */
  roots(channel) {
    return this.in(channel).filter(({ json }) => !isReply(json) || json.subtype === "thread_broadcast");
  }

  /** Replies by their parent's ts, oldest first. */
  replies(channel) {
    const threads = new Map();
    for (const message of this.in(channel)) {
      const parent = message.json.thread_ts;
      if (isReply(message.json)) threads.set(parent, [...(threads.get(parent) ?? []), message]);
    }
    return threads;
  }

  name(user) {
    return this.users[user]?.real_name ?? (user === "USLACKBOT" ? "Slackbot" : user);
  }

  /** A conversation's name as people read it. */
  title(channel) {
    return channel.is_im ? this.name(channel.user) : `# ${channel.name}`;
  }

  // Unread marks: the latest ts that each person has seen of each channel ------------------------

  unread(channel) {
    const last = this.seen[`${this.me}/${channel}`] ?? "";
    return this.roots(channel).filter(({ json }) => json.ts > last && json.user !== this.me).length;
  }

  markSeen(channel) {
    const last = this.roots(channel).at(-1);
    if (!last) return;
    this.seen[`${this.me}/${channel}`] = last.json.ts;
    sessionStorage.setItem(SEEN, JSON.stringify(this.seen));
  }
}

const isReply = (json) => Boolean(json.thread_ts) && json.thread_ts !== json.ts;
