/** The forms that a report can be rendered in. */
export const reportFormats = ['terminal', 'json', 'html', 'junit'] as const;
export type ReportFormat = (typeof reportFormats)[number];
