// Package drivertest is the conformance kit: it proves that a driver does what berth promises its
// users. Every driver of berth's own passes it, and so should yours:
//
//	func TestDriver(t *testing.T) {
//		drivertest.Run(t, drivertest.Config{Driver: "/path/of/the/built/driver"})
//	}
//
// The subject is the driver's program, in whatever language it is written. The kit brings its own
// root file system, with a test program as the only file of note, and needs no image, network,
// cluster, or berth itself. It plays the host: it asks the driver for a command in a short-lived
// process, ends the driver, and becomes the command. It runs as an ordinary user and as root.
//
// README.md lists the cases, what each proves, and which real fault it guards against.
package drivertest
