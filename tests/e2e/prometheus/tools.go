//go:build tools

// Package tools pins the promtool that the end-to-end tests compare with;
// nothing imports it.
package tools

import (
	_ "github.com/prometheus/prometheus/cmd/promtool"
)
