// Package sdk is what a driver author sees of berth: the Driver interface, the optional
// interfaces that say what else a driver can do, the messages they take and the errors they
// return.
//
// A driver is a program of its own. Its main hands a Driver to plugin.Serve (package
// sdk/plugin); the host starts it for one call, asks, ends it, and only then starts the
// container. Whatever touches the job's standard streams is therefore answered with a Command
// that the host executes in its own place, never done by the driver itself.
//
// What a driver implements is what it can do: there is no list of capabilities to keep true.
// The conformance kit in sdk/drivertest proves a driver right.
package sdk
