// Signed in again: tell the pages that stayed open, which then send what they kept.
if (globalThis.BroadcastChannel) new BroadcastChannel("tamdan").postMessage({ type: "signed-in" });
