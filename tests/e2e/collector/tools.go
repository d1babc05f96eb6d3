//go:build tools

// Package tools pins the builder that makes the OpenTelemetry Collector of the
// end-to-end tests; nothing imports it.
package tools

import (
	_ "go.opentelemetry.io/collector/cmd/builder"
)
