// Asks the browser for a passkey, and sends what it says.
"use strict";

(() => {
  const form = document.getElementById("passkey-form");
  if (!form) return;
  const fault = document.getElementById("passkey-fault");

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=/g, "");
  const known = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));

  const make = async (options) => {
    const made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: known(options.excludeCredentials),
      },
    });
    return {
      id: made.id,
      rawId: text(made.rawId),
      type: made.type,
      response: {
        attestationObject: text(made.response.attestationObject),
        clientDataJSON: text(made.response.clientDataJSON),
        transports: made.response.getTransports ? made.response.getTransports() : null,
      },
      extensions: JSON.stringify(made.getClientExtensionResults()),
    };
  };

  const ask = async (options) => {
    const given = await navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        allowCredentials: known(options.allowCredentials),
      },
    });
    const answer = given.response;
    return {
      id: given.id,
      rawId: text(given.rawId),
      type: given.type,
      response: {
        authenticatorData: text(answer.authenticatorData),
        clientDataJSON: text(answer.clientDataJSON),
        signature: text(answer.signature),
        userHandle: answer.userHandle ? text(answer.userHandle) : null,
      },
      assertionClientExtensions: JSON.stringify(given.getClientExtensionResults()),
    };
  };

  const begin = async () => {
    fault.hidden = true;
    try {
      const credential = form.dataset.make
        ? await make(JSON.parse(form.dataset.make))
        : await ask(JSON.parse(form.dataset.ask));
      document.getElementById("credential").value = JSON.stringify(credential);
      form.submit();
    } catch {
      fault.textContent =
        "No passkey was given: it was stopped, took too long, or this device has none for this site. Press the button to try once more.";
      fault.hidden = false;
    }
  };
  document.getElementById("passkey-again").addEventListener("click", begin);
  begin();
})();
