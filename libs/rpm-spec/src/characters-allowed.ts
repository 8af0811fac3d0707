/** Which characters names and versions may have (rpmCharCheck, build/parsePreamble.c). */
import { isAlnum } from '@kiln/rpm-macro';
import type { SpecState } from './spec-state.ts';

export const NAME_CHARACTERS = { later: '.-_+%{}', first: '_%' };
export const SUBNAME_CHARACTERS = { later: '.-_+%{}' };
export const VERSION_CHARACTERS = { later: '._+%{}~^' };
export const EVR_CHARACTERS = { later: '._+%{}~^-:' };

export interface AllowedCharacters {
  readonly later: string;
  /** Set where the first character has a rule of its own. */
  readonly first?: string;
}

/** Reports a character that is not allowed, and warns of what looks like an unexpanded macro. */
export function checkCharacters(state: SpecState, text: string, allowed: AllowedCharacters): boolean {
  if (/[%{}]/.test(text)) {
    const hint = 'Define the macro before it is used, or load the macro file that has it.';
    state.report('warning', 'SPEC_UNEXPANDED_MACRO', `possible unexpanded macro in: ${text}`, { part: text, hint });
  }
  for (let at = 0; at < text.length; at += 1) {
    const characters = at === 0 && allowed.first !== undefined ? allowed.first : allowed.later;
    if (isAlnum(text.charCodeAt(at)) || characters.includes(text[at]!)) continue;
    const hint = `Letters, digits and ${[...characters].join(' ')} are allowed.`;
    state.error('SPEC_ILLEGAL_CHARACTER', `illegal character '${text[at]}' in: ${text}`, { part: text, hint });
    return false;
  }
  if (!text.includes('..')) return true;
  state.error('SPEC_ILLEGAL_CHARACTER', `illegal sequence ".." in: ${text}`, { part: text });
  return false;
}
