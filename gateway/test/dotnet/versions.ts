/** Versions of Microsoft's .NET client that are run: the newest of each major version that is known to be in a feed. */
export const clientVersions = ['8.0.34', '9.0.23', '10.0.15', '11.0.0'];
