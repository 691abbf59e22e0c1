// Shows what was pushed: a count and a link, in the words that the server chose. A tap opens the inbox.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let message = {};
  try {
    message = event.data?.json() ?? {};
  } catch {
    // Something that is not ours: a browser demands that a notification is shown all the same.
  }
  const title = typeof message.title === "string" ? message.title : "Checkpoint";
  const options = {
    body: typeof message.body === "string" ? message.body : "",
    tag: "checkpoint-inbox",
    renotify: true,
    icon: "/static/img/mark.svg",
    data: { url: typeof message.url === "string" && message.url.startsWith("/") ? message.url : "/inbox" },
  };
  event.waitUntil(self.registration.showNotification(title, options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data?.url ?? "/inbox", self.location.origin).href;
  event.waitUntil(
    (async () => {
      const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
      const open = windows.find((one) => one.url.startsWith(url));
      await (open ? open.focus() : self.clients.openWindow(url));
    })(),
  );
});
