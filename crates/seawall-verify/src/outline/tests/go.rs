//! Go.

use super::*;

const STORE: &str = r#"
// Package store keeps things.
package store

import (
	"fmt"
	io2 "io"
)

// Limit is one.
const (
	Limit = iota
	other
)

var ErrGone, errOther error = New(1), New(2)

var (
	Table map[string]int
)

type Option func(*Store[int])

type Alias = fmt.Stringer

// Store keeps.
type Store[T any] struct {
	Root, Name string `json:"root"`
	*Base
	size int64
}

type Keeper interface {
	Keep(what []byte) (int, error)
	io2.Closer
}

// Open opens.
func Open[T any](root string, options ...Option) (store *Store[T], err error) {
	return nil, nil
}

func (s *Store[T]) Get(key string) (T, bool) { return s.get(key) }

func (s Store[T]) get(key string) (value T, ok bool) { return }

func helper(a, b int) int { return a + b }
"#;

#[test]
fn a_file_is_outlined() {
    let expected = [
        "+ constant Limit",
        "~ constant other",
        "+ variable ErrGone error",
        "~ variable errOther error",
        "+ variable Table map[string]int",
        "+ type Option func(*Store[int])",
        "+ type Alias = fmt.Stringer",
        "+ struct Store[T any]",
        "+ field Store.Root string `json:\"root\"`",
        "+ field Store.Name string `json:\"root\"`",
        "+ field Store.*Base",
        "~ field Store.size int64",
        "+ interface Keeper",
        "+ method Keeper.Keep(what []byte) (int, error)",
        "+ field Keeper.io2.Closer",
        "+ function Open[T any](root string, options ...Option) (store *Store[T], err error)",
        "+ method Store.Get(key string) (T, bool)",
        "~ method Store.get(key string) (value T, ok bool)",
        "~ function helper(a, b int) int",
    ];
    assert_eq!(outlined(Language::Go, STORE), expected);
}

#[test]
fn a_change_is_told_and_a_body_is_not() {
    let after = STORE
        .replace(
            "Open[T any](root string,",
            "Open[T any](ctx Context, root string,",
        )
        .replace("return nil, nil", "return nil, ErrGone")
        .replace(
            "\tKeep(what []byte) (int, error)",
            "\tKeep(what []byte) error",
        )
        .replace("\tsize int64", "\tsize, used int64")
        .replace("func helper(a, b int) int { return a + b }", "")
        .replace(
            "type Option func(*Store[int])",
            "type Option func(*Store[int]) error",
        );
    let expected = [
        "type `Option func(*Store[int])` is now `Option func(*Store[int]) error` (line 22)",
        "method `Keeper.Keep(what []byte) (int, error)` is now `Keeper.Keep(what []byte) error` (line 34)",
        "function `Open[T any](root string, options ...Option) (store *Store[T], err error)` is now `Open[T any](ctx Context, root string, options ...Option) (store *Store[T], err error)` (line 39)",
        "function `helper(a, b int) int` was removed",
        "field `Store.used int64` is new (line 30)",
    ];
    assert_eq!(noted(Language::Go, STORE, &after), expected);
}
