/**
 * Markdown from documents and docstrings, which may be a stranger's.
 *
 * Twice safe: HTML in it stays text, pictures become their words (loading one would tell its server who reads this and
 * when), links go to the web only; and DOMPurify cleans what comes out.
 */

import DOMPurify from "dompurify";
import { Marked, type Tokens } from "marked";
import { useMemo } from "react";
import { classes } from "./Button";

export function Markdown({ text, className }: { text: string; className?: string }) {
  const html = useMemo(() => toHtml(text), [text]);
  // biome-ignore lint/security/noDangerouslySetInnerHtml: made safe twice, see above
  return <div className={classes("markdown", className)} dangerouslySetInnerHTML={{ __html: html }} />;
}

/** Links open beside the editor, and do not say where they were followed from. */
export function toHtml(text: string): string {
  const html = MARKED.parse(text, { async: false });
  return DOMPurify.sanitize(html, {
    ADD_ATTR: ["target"],
    FORBID_TAGS: ["img", "form", "style"],
    FORBID_ATTR: ["style"],
  });
}

const WEB = /^(https?:|mailto:)/i;

const MARKED = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => escaped(text),
    image: ({ text }) => escaped(text),
    link({ href, tokens }: Tokens.Link) {
      const words = this.parser.parseInline(tokens);
      if (!WEB.test(href)) return words;
      return `<a href="${escaped(href)}" target="_blank" rel="noopener noreferrer nofollow">${words}</a>`;
    },
  },
});

function escaped(text: string): string {
  const marks: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (mark) => marks[mark] ?? mark);
}
