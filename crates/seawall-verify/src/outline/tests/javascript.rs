//! JavaScript and TypeScript.

use super::*;

const CLIENT: &str = r#"
import { Base } from './base';
import type { Options as O } from './options';

/** Talks. */
export default abstract class Client<T extends object> extends Base<T> implements Closes {
  private secret = 1;
  static readonly version: string = "1";
  #hidden = 2;
  handler = async (event: Event): Promise<void> => { this.go(event); };
  constructor(private readonly url: string, options?: O) { super(); }
  get host(): string { return this.url; }
  protected go(event: Event) {}
  abstract close(): Promise<void>;
}

export const load = async (path: string, strict = false): Promise<Data> => { return read(path); };
export const LIMIT: number = 3, other = 4;
const inner = 1;
function local(a: number) { return a; }
export interface Data extends Shape { id: string; size?: number; read(at: number): string; [key: string]: unknown }
export type Result = { ok: true } | { ok: false; why: string };
export enum Level { Low, High = 2 }
export { local as shared, inner };
export { helper, x as y } from './helper';
export * from './all';
export * as names from './names';
export function over(a: string): void;
export function over(a: any) {}
declare function ambient(a: string): void;
export namespace Space { export function f(): void {} const g = 1; }
export const { p, q: r } = pair;
"#;

#[test]
fn a_typescript_module_is_outlined() {
    let expected = [
        "+ class abstract Client<T extends object> extends Base<T> implements Closes",
        "- field private Client.secret",
        "+ field static readonly Client.version: string",
        "- field Client.#hidden",
        "+ method async Client.handler(event: Event): Promise<void>",
        "+ method Client.constructor(private readonly url: string, options?: O)",
        "+ method get Client.host(): string",
        "- method protected Client.go(event: Event)",
        "+ method abstract Client.close(): Promise<void>",
        "+ function async load(path: string, strict = false): Promise<Data>",
        "+ variable LIMIT: number",
        "+ variable other",
        "+ variable inner",
        "+ function local(a: number)",
        "+ interface Data extends Shape",
        "+ field Data.id: string",
        "+ field Data.size?: number",
        "+ method Data.read(at: number): string",
        "+ field Data [key: string]: unknown",
        "+ type Result = { ok: true } | { ok: false; why: string }",
        "+ enum Level",
        "+ variant Level.Low",
        "+ variant Level.High = 2",
        "+ export shared = local",
        "+ export helper from './helper'",
        "+ export y = x from './helper'",
        "+ export * from './all'",
        "+ export * as names from './names'",
        "+ function over(a: string): void",
        "+ function over(a: any)",
        "+ function ambient(a: string): void",
        "+ module Space",
        "+ function Space.f(): void",
        "- variable Space.g",
        "+ variable p",
        "+ variable r",
    ];
    assert_eq!(outlined(Language::TypeScript, CLIENT), expected);
}

#[test]
fn what_require_gives_is_outlined() {
    let source = r#"
const path = require('path');
function a(x) { return x; }
class B extends C { m(q, r = 2) {} }
function hidden() {}
exports.f = function (x, ...rest) { return x; };
module.exports.g = (x) => x;
module.exports = { a, b: B, c: 3, d() {}, 'e': function* () {} };
"#;
    let expected = [
        "- variable path",
        "+ function a(x)",
        "+ class B extends C",
        "+ method B.m(q, r = 2)",
        "- function hidden()",
        "+ function f(x, ...rest)",
        "+ function g(x)",
        "+ export b = B",
        "+ export c",
        "+ function d()",
        "+ function * e()",
    ];
    assert_eq!(outlined(Language::JavaScript, source), expected);
}

#[test]
fn a_default_that_is_a_value_is_outlined() {
    for (source, expected) in [
        ("export default function (a) {}", "+ function default(a)"),
        ("export default a => a;", "+ function default a"),
        ("export default class { }", "+ class default"),
        ("export default { a: 1 };", "+ export default"),
        ("module.exports = class A { };", "+ class default"),
    ] {
        let found = outlined(Language::JavaScript, source);
        assert_eq!(found, [expected], "{source}");
    }
}

#[test]
fn markup_is_stepped_over() {
    let source = "export const View = ({ name }: Props) => <b title=\"x\">{name}</b>;\n";
    let expected = ["+ function View({ name }: Props)"];
    assert_eq!(outlined(Language::Tsx, source), expected);
}

#[test]
fn a_change_is_told_and_a_body_is_not() {
    let after = CLIENT
        .replace("strict = false", "options: O = {}")
        .replace("read(path)", "read(path, 1)")
        .replace("size?: number", "size: number")
        .replace("Low, High", "Low, Middle, High")
        .replace("private secret = 1", "private secret = 2")
        .replace(
            "export { local as shared, inner };",
            "export { local as shared };",
        )
        .replace("export * from './all';\n", "");
    let expected = [
        "function `async load(path: string, strict = false): Promise<Data>` is now `async load(path: string, options: O = {}): Promise<Data>` (line 17)",
        "field `Data.size?: number` is now `Data.size: number` (line 21)",
        "export `* from './all'` was removed",
        "variable `inner` cannot be used from other files any more",
        "variant `Level.Middle` is new (line 23)",
    ];
    assert_eq!(noted(Language::TypeScript, CLIENT, &after), expected);
}
