/** The forms that a report can be rendered in. */
export const reportFormats = ['terminal', 'json', 'html'] as const;
export type ReportFormat = (typeof reportFormats)[number];
