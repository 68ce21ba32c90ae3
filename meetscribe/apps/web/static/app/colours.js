/**
 * A colour for each speaker that people with any kind of colour vision tell apart, in light and dark.
 *
 * The hues are those of Okabe and Ito (2008), in lightnesses that can be read on either ground; `style/colours.css` holds
 * them as `--speaker-0` to `--speaker-7`. Who comes ninth has the first one's colour and another mark. Names and initials
 * stand beside every colour: nothing is said by colour alone.
 */

export const COLOURS = 8;

/** Return the number of a speaker's colour; null where nobody is known (the slot has a neutral one). */
export function colourOf(speaker) {
  if (speaker === null) return null;
  const number = Number(speaker.replace(/\D+/g, ""));
  if (Number.isSafeInteger(number) && number > 0) return (number - 1) % COLOURS;
  let sum = 0;
  for (const letter of speaker) sum = (sum * 31 + letter.codePointAt(0)) % 65_521;
  return sum % COLOURS;
}

/** Return the one or two letters that stand for a name: `Alice Wu` AW, `s12` 12, A. */
export function initials(name) {
  const numbered = /^s(\d+)$/.exec(name);
  if (numbered) return numbered[1];
  const parts = name.trim().split(/\s+/u).filter(Boolean);
  const letters = parts.length > 1 ? [parts[0], parts.at(-1)] : parts.slice(0, 1);
  return letters.map((part) => [...part][0].toLocaleUpperCase()).join("");
}
