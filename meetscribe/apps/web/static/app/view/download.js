/** Saving the transcript: the formats that the page makes itself, and those of the server. */
import * as api from "../api.js";
import { byId, h, save } from "../dom.js";
import { FORMATS } from "../formats.js";
import { prefer, preference } from "../preferences.js";
import { notice } from "./notices.js";

/** Fill the choice of formats, and save what `room()` shows when the button is pressed. */
export function setUpDownload(room) {
  const choice = byId("format");
  choice.append(...FORMATS.map(({ name, label }) => h("option", { value: name }, label)));
  choice.value = preference("format");
  choice.onchange = () => prefer("format", choice.value);
  byId("download").onclick = () => download(room(), choice.value);
}

async function download({ session, log }, name) {
  const { extension, mime, encode } = FORMATS.find((format) => format.name === name) ?? FORMATS[0];
  try {
    const blob = encode ? new Blob([encode(log)], { type: mime }) : await api.transcript(session, name);
    save(session + extension, blob);
  } catch (error) {
    notice(`The transcript could not be saved: ${error.message}`);
  }
}
