/**
 * Work out what is typed into a number field: `512*2`, `(1024 + 64) / 8`, `2^10`, `1.5e3`.
 *
 * A parser of its own, never `eval`: the page's security policy forbids that, and a pasted text must not run.
 * `%` is the remainder. A comma is read as a decimal point, as many keyboards and habits have it.
 */

const TOKEN = /\s*(?:(\d+(?:[.,]\d*)?(?:e[+-]?\d+)?|[.,]\d+(?:e[+-]?\d+)?)|(\*\*|[-+*/%^()×÷−]))/iy;

const SAME: Readonly<Record<string, string>> = { "**": "^", "×": "*", "÷": "/", "−": "-" };
const DEEPEST = 64;

type Token = number | string;

/** The number that `text` comes to; null when it is no expression, or comes to no finite number. */
export function evaluate(text: string): number | null {
  const tokens = tokenise(text);
  if (!tokens || tokens.length === 0) return null;
  const reader = new Reader(tokens);
  const value = reader.sum(0);
  return value !== null && reader.finished && Number.isFinite(value) ? value : null;
}

function tokenise(text: string): Token[] | null {
  const tokens: Token[] = [];
  const trimmed = text.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const match = TOKEN.exec(trimmed);
    if (!match) return null;
    const [, digits, sign = ""] = match;
    tokens.push(digits === undefined ? (SAME[sign] ?? sign) : Number(digits.replace(",", ".")));
  }
  return tokens;
}

/** Recursive descent: a sum of products of powers. Every rule gives null for what it cannot read. */
class Reader {
  private at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get finished(): boolean {
    return this.at === this.tokens.length;
  }

  sum(depth: number): number | null {
    let left = this.product(depth);
    while (left !== null && (this.next === "+" || this.next === "-")) {
      const add = this.take() === "+";
      const right = this.product(depth);
      left = right === null ? null : add ? left + right : left - right;
    }
    return left;
  }

  private product(depth: number): number | null {
    let left = this.signed(depth);
    while (left !== null && (this.next === "*" || this.next === "/" || this.next === "%")) {
      const operator = this.take();
      const right = this.signed(depth);
      if (right === null) return null;
      left = operator === "*" ? left * right : operator === "/" ? left / right : left % right;
    }
    return left;
  }

  private signed(depth: number): number | null {
    if (this.next !== "-" && this.next !== "+") return this.power(depth);
    const negative = this.take() === "-";
    const value = depth > DEEPEST ? null : this.signed(depth + 1);
    return value === null ? null : negative ? -value : value;
  }

  private power(depth: number): number | null {
    const base = this.atom(depth);
    if (base === null || this.next !== "^") return base;
    this.take();
    const exponent = depth > DEEPEST ? null : this.signed(depth + 1);
    return exponent === null ? null : base ** exponent;
  }

  private atom(depth: number): number | null {
    const token = this.take();
    if (typeof token === "number") return token;
    if (token !== "(" || depth > DEEPEST) return null;
    const value = this.sum(depth + 1);
    return this.take() === ")" ? value : null;
  }

  private get next(): Token | undefined {
    return this.tokens[this.at];
  }

  private take(): Token | undefined {
    const token = this.tokens[this.at];
    this.at += 1;
    return token;
  }
}
